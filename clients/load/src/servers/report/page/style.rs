//! How the page looks; colours that are told apart by everybody (Okabe and Ito, "Color universal design", 2008).

pub(super) const STYLE: &str = "\
:root{--palco:#0072b2;--floor:#444;--peer:#b34700;--soft:#8882;--first:#0072b226;--bad:#b00020}\
@media(prefers-color-scheme:dark){:root{--palco:#56b4e9;--floor:#ccc;--peer:#f0a04b;--first:#56b4e930;--bad:#ff8a80}}\
body{max-width:100em}h2{margin-top:2em}h3{margin:1.6em 0 .3em}p,li{max-width:62em}\
nav a{margin-right:1em}a{color:var(--palco)}\
.lead{font-size:1.1em}.says{border-left:4px solid var(--palco);padding:0 1em}.says h2{margin-top:.5em}\
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,28em),1fr));gap:1em 2em;margin-bottom:1.5em}\
.guide{stroke:var(--line);stroke-dasharray:1 3}\
.range{stroke:currentColor;stroke-opacity:.55;stroke-width:2}\
.mark.palco{fill:var(--palco)}.mark.peer{fill:var(--peer)}\
.mark.floor{fill:Canvas;stroke:var(--floor);stroke-width:1.5}.mark.failed{opacity:.35}\
.curve.palco{stroke:var(--palco)}\
.curve.floor{stroke:var(--floor);stroke-dasharray:6 3}.curve.peer{stroke:var(--peer);stroke-dasharray:2 2}\
.curve.faint{stroke-width:1;stroke-opacity:.3}\
.legend span{margin-right:1.2em;white-space:nowrap}.chosen{font-size:.85em;margin:.2em 0 0;padding-left:3.5em}\
.scroll{overflow-x:auto}.figures{display:table;font-size:.88em}.figures td,.figures th{padding:.15em .6em;white-space:nowrap}\
.figures td.remark{white-space:normal;min-width:26em}.figures thead th{vertical-align:bottom;white-space:normal}\
.figures tbody th{font-weight:normal;text-align:left;border-left:4px solid transparent}\
.figures tbody tr:hover{background:var(--soft)}\
tbody th.palco{border-left-color:var(--palco)}tbody th.floor{border-left:4px double var(--floor)}\
tbody th.peer{border-left:4px dotted var(--peer)}b.palco{color:var(--palco)}b.peer{color:var(--peer)}\
.figures td.words,.figures th.words{white-space:normal;text-align:left;vertical-align:top;min-width:6em}td.first{background:var(--first);font-weight:bold}td.bad{color:var(--bad);font-weight:bold}\
details{margin:.4em 0}summary{cursor:pointer}\
@media(max-width:600px){.figures tbody th{white-space:normal;min-width:9em}}\
@media print{details{display:block}nav{display:none}}";
