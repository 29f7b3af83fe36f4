"""How the page looks: light, dark and on paper, with the fonts that a reader's machine has."""

STYLE = """
:root{color-scheme:light dark;--paper:#fbfcfd;--card:#fff;--ink:#16222e;--faint:#5a6a79;--rule:#dde4ea;--sea:#0b6e99;
--area:#0b6e9926;--good:#12714f;--goodbg:#e3f4ec;--warn:#8a5a00;--warnbg:#fdf1d8;--bad:#b3261e;--badbg:#fce8e6;
--p0:#0b6e99;--p1:#2a9d8f;--p2:#6d5fb0;--p3:#b8577e;--p4:#a8711c;--p5:#4a7a3f;--on:#fff}
@media(prefers-color-scheme:dark){:root{--paper:#0e151b;--card:#151e26;--ink:#e4ebf1;--faint:#93a3b1;--rule:#2a3742;--sea:#5cb8df;
--area:#5cb8df2e;--good:#6fd0a5;--goodbg:#12302a;--warn:#ecbd62;--warnbg:#352a10;--bad:#ff9a90;--badbg:#3b1a18;
--p0:#2f8db8;--p1:#2f9c8f;--p2:#8073c4;--p3:#c06a8e;--p4:#b58234;--p5:#5f9552}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
font-variant-numeric:tabular-nums}
.page{max-width:1080px;margin:0 auto;padding:40px 28px 64px}
header p,footer,.faint{color:var(--faint)}header p{margin:2px 0 0}
h1{font-size:27px;line-height:1.2;letter-spacing:-.01em;margin:0;overflow-wrap:anywhere}
h2{font-size:19px;margin:0 0 12px;letter-spacing:-.005em}
.verdict{margin:22px 0 18px;padding:15px 20px;border-radius:10px;font-size:17px;border-left:5px solid;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:12px;margin:0;padding:0;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:13px 16px}.tiles a{color:inherit;text-decoration:none;display:block}
.tiles a:hover .note,.tiles a:focus .note{text-decoration:underline}
.tiles .name{display:block;font-size:12.5px;color:var(--faint)}
.tiles .figure{display:block;font-size:23px;font-weight:650;line-height:1.35;letter-spacing:-.01em}
.tiles .note{display:block;font-size:12.5px;color:var(--faint);overflow-wrap:anywhere}
nav{margin:18px 0 0;font-size:13.5px;display:flex;flex-wrap:wrap;gap:4px 18px}nav a{color:var(--sea);text-decoration:none}
nav a:hover,nav a:focus{text-decoration:underline}
section{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:22px 24px;margin:20px 0 0}
section p{margin:0 0 10px;max-width:78ch}section>:last-child{margin-bottom:0}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.verdict.good{background:var(--goodbg)}.verdict.warn{background:var(--warnbg)}.verdict.bad{background:var(--badbg)}
.verdict.plain{background:var(--area);border-color:var(--sea)}
td.good,td.warn,td.bad{font-weight:600}
.wide{overflow-x:auto;margin:0 0 16px}
table{border-collapse:collapse;width:100%;font-size:14px}caption{text-align:left;color:var(--faint);font-size:13px;padding:0 0 6px}
th{font-weight:600;color:var(--faint);font-size:12.5px;white-space:nowrap}
th,td{text-align:left;padding:7px 16px 7px 0;border-bottom:1px solid var(--rule);vertical-align:top;overflow-wrap:break-word}
tbody tr:last-child td{border-bottom:0}td.tight{white-space:nowrap}td.number,th.number{text-align:right;white-space:nowrap}
code,pre{font:13px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"Noto Sans Mono",monospace}
details{margin:0 0 12px}summary{cursor:pointer;color:var(--sea)}
pre{margin:8px 0 0;padding:12px 14px;background:var(--paper);border:1px solid var(--rule);border-radius:8px;white-space:pre-wrap;overflow-wrap:anywhere;
max-height:420px;overflow:auto}
ul.sentences{margin:0;padding-left:20px}ul.sentences li{margin:0 0 6px;max-width:82ch;overflow-wrap:anywhere}
figure{margin:0 0 16px}.drawing{overflow-x:auto}svg{display:block;width:100%;min-width:620px;height:auto}
svg text{fill:var(--faint);font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
svg text.strong{fill:var(--ink);font-weight:600}svg text.on{fill:var(--on);font-weight:600}
svg .axis{stroke:var(--rule)}svg .line{fill:none;stroke:var(--sea);stroke-width:1.8;stroke-linejoin:round}svg .area{fill:var(--area)}
svg .mark{stroke:var(--faint);stroke-dasharray:3 3;stroke-width:1}svg .peak{fill:var(--sea)}
svg .p0{fill:var(--p0)}svg .p1{fill:var(--p1)}svg .p2{fill:var(--p2)}svg .p3{fill:var(--p3)}svg .p4{fill:var(--p4)}svg .p5{fill:var(--p5)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:10px 0 0;padding:0;font-size:13px;color:var(--faint)}
.legend i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:7px}
i.p0{background:var(--p0)}i.p1{background:var(--p1)}i.p2{background:var(--p2)}i.p3{background:var(--p3)}i.p4{background:var(--p4)}i.p5{background:var(--p5)}
th[scope=row]{width:190px;font-size:14px;font-weight:400}tbody tr:last-child th{border-bottom:0}
footer{margin:26px 0 0;font-size:13px}
@media(max-width:640px){.page{padding:22px 14px 40px}section{padding:16px}}
@media print{@page{margin:14mm}:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--faint:#444;--rule:#bbb;--sea:#0b6e99;--area:#0b6e9926;
--good:#12714f;--goodbg:#fff;--warn:#8a5a00;--warnbg:#fff;--bad:#b3261e;--badbg:#fff}
body{font-size:11pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}.page{padding:0;max-width:none}nav{display:none}
section{border:0;border-top:1px solid var(--rule);border-radius:0;padding:14px 0}figure,tr,.tiles li,.verdict{break-inside:avoid}h2{break-after:avoid}
thead{display:table-header-group}pre{max-height:none;overflow:visible}.wide,.drawing{overflow:visible}svg{min-width:0}.verdict{border:1px solid;border-left-width:5px}}
"""
