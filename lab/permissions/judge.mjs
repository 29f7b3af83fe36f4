// Judges calls with iam-simulate. In: a JSON list of {role, action, resource, account, policies, context}.
// Out: a JSON list, in order, of "Allowed", "ExplicitlyDenied", "ImplicitlyDenied", or "error: …".
import { runSimulation } from "@cloud-copilot/iam-simulate";

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const verdicts = [];
for (const call of JSON.parse(Buffer.concat(chunks).toString())) {
  const answer = await runSimulation(
    {
      request: {
        principal: call.role,
        action: call.action,
        resource: { resource: call.resource, accountId: call.account },
        contextVariables: call.context,
      },
      identityPolicies: call.policies,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  );
  verdicts.push(answer.resultType === "error" ? `error: ${JSON.stringify(answer.errors)}` : answer.overallResult);
}
process.stdout.write(JSON.stringify(verdicts));
