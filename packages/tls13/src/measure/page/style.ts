// How a report looks: one column of text, two of plots where there is room; the reader's choice of light or dark.

export const style = `
:root{color-scheme:light dark;--paper:#fdfdfb;--ink:#1d2126;--soft:#5d6670;--rule:#dfe2e4;--grid:#e8eaeb;--tint:#f3f4f2;--ok:#2f7d4f;--warn:#a8321d;--warn-tint:#fbeeea;
--s0:#1f5f9e;--s1:#c2591b;--s2:#2f7d4f;--s3:#8450a0;--s4:#a37a12;--s5:#60707c}
@media (prefers-color-scheme:dark){:root{--paper:#15181c;--ink:#e4e6e8;--soft:#9aa4ad;--rule:#31373d;--grid:#272c31;--tint:#1d2126;--ok:#77c894;--warn:#f39c86;--warn-tint:#2e1f1b;
--s0:#74b3ee;--s1:#f0965a;--s2:#77c894;--s3:#c79ae0;--s4:#dcb75c;--s5:#a5b2bc}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:1120px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:26px;line-height:1.25;font-weight:650;margin:0 0 4px;letter-spacing:-.01em}
h2{font-size:19px;font-weight:650;margin:48px 0 8px;padding-top:16px;border-top:1px solid var(--rule)}
h3{font-size:15px;font-weight:650;margin:28px 0 6px}
p{margin:6px 0;max-width:76ch}.soft{color:var(--soft)}
code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--tint);border:1px solid var(--rule);border-radius:6px;padding:10px 14px;white-space:pre-wrap;overflow-wrap:anywhere;margin:14px 0}
.scroll{overflow-x:auto;margin:10px 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
table.figures{min-width:60%}table.figures tbody th{white-space:nowrap}
th,td{padding:5px 14px 5px 0;text-align:right;border-bottom:1px solid var(--rule);vertical-align:top}
th{font-weight:400;text-align:left}thead th{color:var(--soft);font-size:13px;white-space:nowrap}thead th+th{text-align:right}
table.facts td{text-align:left}table.facts th{color:var(--soft);white-space:nowrap;padding-right:20px}
table.words td:last-child,table.words thead th:last-child{text-align:left;padding-left:8px;min-width:22em}
td.text,th.text{text-align:left!important}td.big,.big{font-weight:650}
table.checks{width:100%}table.checks td{text-align:left;white-space:nowrap;padding-right:22px}table.checks thead th+th{text-align:left}table.checks td:last-child{padding-right:0}
table.checks div{font-size:12.5px}table.checks td b,table.checks thead th{font-weight:650}
.key{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:7px;background:currentColor}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--soft);margin:2px 0 0 12px}
.legend b{font-weight:400;color:var(--ink)}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,430px),1fr));gap:24px 32px;margin:14px 0}
body{counter-reset:figure}figure{margin:0;counter-increment:figure}figcaption::before{content:"Figure " counter(figure) ". ";font-weight:400;color:var(--soft)}figcaption{font-weight:650;font-size:14px;margin:0 0 2px}figcaption span{font-weight:400;color:var(--soft)}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--soft)}svg text.note{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}svg text.title{fill:var(--soft)}
.grid{stroke:var(--grid)}.axis,.tick{stroke:var(--soft)}.mark{stroke:var(--ink);stroke-dasharray:2 3;opacity:.55}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round;stroke:currentColor}.fill{fill:currentColor}.dot{fill:currentColor}
.failed{fill:var(--warn)}
.box line,.box rect{stroke:currentColor}.box rect{fill:currentColor;fill-opacity:.22}.box .middle{stroke-width:2}.box circle{fill:currentColor;fill-opacity:.55}
.curve .quartiles{stroke:currentColor;stroke-width:5;stroke-opacity:.3}
svg.wanted{width:150px;height:20px;display:inline-block;vertical-align:middle}.wanted .good{fill:var(--ok);fill-opacity:.14}.wanted .goal{stroke:var(--soft)}
.wanted .spread{stroke:currentColor;stroke-width:3;stroke-opacity:.45}.wanted .at{fill:currentColor}
.met{color:var(--ok)}.near{color:var(--s4)}.missed{color:var(--warn)}.quiet{color:var(--soft)}
.made{font-size:12.5px;color:var(--soft);margin:4px 0 0;display:flex;flex-wrap:wrap;gap:2px 14px;align-items:baseline}.made code{font-size:11.5px;overflow-wrap:anywhere}
nav{display:flex;flex-wrap:wrap;gap:4px 16px;margin:16px 0;font-size:14px}
.tally{display:flex;flex-wrap:wrap;gap:8px 28px;margin:18px 0}.tally div{font-size:13px;color:var(--soft)}.tally b{display:block;font-size:26px;line-height:1.2;font-weight:650}
.share{background:linear-gradient(currentColor,currentColor) no-repeat left bottom/var(--share) 3px}
.interval line{stroke:currentColor;stroke-width:2}.interval circle{stroke:currentColor;stroke-width:2}.solid{fill:currentColor}.hollow{fill:var(--paper)}
.s0{color:var(--s0)}.s1{color:var(--s1)}.s2{color:var(--s2)}.s3{color:var(--s3)}.s4{color:var(--s4)}.s5{color:var(--s5)}
.warn{background:var(--warn-tint);color:var(--warn);border-left:3px solid var(--warn);padding:8px 14px;margin:12px 0;max-width:80ch}
ul.notes{margin:8px 0;padding-left:20px;max-width:80ch}ul.notes li{margin:3px 0}
details{margin:10px 0}summary{cursor:pointer;color:var(--soft)}
a{color:var(--s0)}footer{margin-top:48px;padding-top:12px;border-top:1px solid var(--rule);font-size:13px;color:var(--soft)}
@media(max-width:760px){table.checks thead{display:none}table.checks tr{display:grid;grid-template-columns:8.5em 1fr auto;border-bottom:1px solid var(--rule);padding:6px 0}table.checks th{grid-column:1/-1}table.checks th,table.checks td{border:0;padding:2px 10px 2px 0}}
@media(max-width:520px){main{padding:24px 16px 48px}svg text{font-size:14px}}
@media print{main{padding:0}.plots{break-inside:avoid}figure{break-inside:avoid}}
`
