// Calls the fake through the public npm client, unchanged; prints one JSON line per call: [what, answer or error].
"use strict";
const Mackerel = require("mackerel");

const [origin, now] = [process.argv[2], Number(process.argv[3])];
const client = new Mackerel("lab-key", { origin });
const reader = new Mackerel("lab-read-only-key", { origin });

async function tell(what, promise) {
  let answer;
  try {
    const { body } = await promise;
    answer = JSON.parse(body);
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify([what, answer]) + "\n");
  return answer;
}

async function main() {
  await tell("getOrganization", client.getOrganization());
  await tell("getServices", client.getServices());
  await tell("getRoles", client.getRoles("shop"));
  await tell("postServiceMetrics", client.postServiceMetrics("shop", [
    { name: "orders.shipped", time: now - 60, value: 1 },
    { name: "orders.shipped", time: now, value: 2 },
    { name: "orders.shipped", time: now + 1, value: 3.5 },
  ]));
  await tell("postServiceMetrics to nobody", client.postServiceMetrics("nobody", []));
  await tell("postServiceMetrics read only", reader.postServiceMetrics("shop", []));
  const { id } = await tell("addHost", client.addHost({ name: "npm", meta: {}, interfaces: [], roleFullnames: ["shop:web"] }));
  await tell("getHosts", client.getHosts());
  await tell("getHost", client.getHost(id));
  await tell("modifyHostStatus", client.modifyHostStatus(id, "maintenance"));
  await tell("modifyHostRole", client.modifyHostRole(id, "shop:batch"));
  await tell("postMetrics", client.postMetrics([{ hostId: id, name: "custom.lag.orders", time: now, value: 4 }]));
  await tell("getHostMetrics", client.getHostMetrics(id));
  await tell("setGraphDefinitions", client.setGraphDefinitions([
    { name: "custom.lag", displayName: "Lag", unit: "seconds", metrics: [{ name: "custom.lag.orders", displayName: "orders", isStacked: false }] },
  ]));
  await tell("postCheckReports", client.postCheckReports({ reports: [
    { source: { type: "host", hostId: id }, name: "backup", status: "CRITICAL", message: "2 of 14 failed", occurredAt: now },
  ] }));
  const { alerts } = await tell("getAlert", client.getAlert());
  await tell("closeAlert", client.closeAlert(alerts[0].id, { reason: "mended" }));
  await tell("modifyMetadata", client.modifyMetadata(id, "kuroshio", { checkpoint: 7 }));
  await tell("getMetadata", client.getMetadata(id, "kuroshio"));
  await tell("createMonitor", client.createMonitor({
    type: "service", name: "shipped", service: "shop", duration: 3, metric: "orders.shipped", operator: "<", warning: 1, critical: 0, notificationInterval: 10,
  }));
  await tell("getMonitors", client.getMonitors());
  const dashboard = { title: "Shop", memo: "", urlPath: "shop", widgets: [] };
  const made = await tell("createDashboard", client.createDashboard(dashboard));
  await tell("createDashboard again", client.createDashboard(dashboard));
  await tell("getDashboard", client.getDashboard(made.id));
  await tell("modifyDashboard", client.modifyDashboard(made.id, { ...dashboard, title: "The shop" }));
  await tell("getDashboards", client.getDashboards());
  await tell("deleteDashboard", client.deleteDashboard(made.id));
  await tell("createGraphAnnotation", client.createGraphAnnotation({ title: "release", from: now - 60, to: now, service: "shop" }));
  await tell("retireHost", client.retireHost(id));
  // Six calls of this client ask for what the API does not have; a fake that took them would be kinder than Mackerel.
  await tell("getServiceMetrics", client.getServiceMetrics("shop", "orders.shipped", new Date((now - 60) * 1000), new Date(now * 1000)));
  await tell("getGraphAnnotation", client.getGraphAnnotation("shop", now - 60, now));
  await tell("modifyGraphAnnotation", client.modifyGraphAnnotation("some-id", {}));
  await tell("modifyMonitor", client.modifyMonitor("some-id", {}));
  await tell("deleteMonitor", client.deleteMonitor("some-id"));
  await tell("deleteGraphAnnotation", client.deleteGraphAnnotation("some-id"));
}

main();
