/* The style of the HTML report. No character of it may need a reference: it is read as HTML and as
 * XML. */
#include "html_parts.h"

/* In parts: a string literal has a longest length. */
static const char *const parts[] = {
    "\n"
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;--soft:#f6f8fa;"
    "--good:#116329;--warn:#7d4e00;--bad:#a40e26;--before:#8c5a00;--after:#0757ba}\n"
    "@media (prefers-color-scheme:dark){:root{--bg:#0d1117;--fg:#e6edf3;--dim:#9da7b1;--line:#3d444d;"
    "--soft:#161b22;--good:#56d364;--warn:#e3b341;--bad:#ff8f88;--before:#d29922;--after:#6cb6ff}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1rem;max-width:72rem;background:var(--bg);color:var(--fg);"
    "font:1rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}\n"
    "h1{margin:0 0 1rem;font-size:1rem;font-weight:600;color:var(--dim);overflow-wrap:anywhere}\n"
    "h2{margin:0;font-size:1.6rem;line-height:1.2}\n"
    "h3{margin:2rem 0 .5rem;padding-bottom:.25rem;border-bottom:1px solid var(--line);font-size:1.15rem}\n"
    "h4{margin:1rem 0 .25rem;font-size:1rem}\n"
    "p{margin:.4rem 0;overflow-wrap:anywhere}\n"
    "article+article{margin-top:3rem;padding-top:2rem;border-top:3px solid var(--line)}\n"
    ".verdict{padding:1rem 1.2rem;border:1px solid var(--line);border-left:.5rem solid var(--fg);"
    "border-radius:.3rem;background:var(--soft)}\n"
    ".verdict p{margin:.4rem 0 0}\n"
    ".verdict.good{border-left-color:var(--good)}\n.verdict.warn{border-left-color:var(--warn)}\n"
    ".verdict.bad{border-left-color:var(--bad)}\n"
    ".good h2,b.good{color:var(--good)}\n.warn h2,b.warn{color:var(--warn)}\n"
    ".bad h2,b.bad{color:var(--bad)}\n"
    ".lead{font-size:1.1rem}\n.lead::first-letter{text-transform:uppercase}\n"
    ".dim,.more{color:var(--dim)}\n"
    ".box{margin:.8rem 0 0;padding:.6rem 1rem;border:1px solid var(--line);border-radius:.3rem}\n",
    "dl{display:grid;grid-template-columns:minmax(8rem,max-content) minmax(0,1fr);gap:.2rem 1.2rem;"
    "margin:.5rem 0}\n"
    "dt{color:var(--dim)}\ndd{margin:0;overflow-wrap:anywhere;unicode-bidi:isolate}\n"
    "code,.esc{font-family:ui-monospace,'Cascadia Mono',Consolas,'DejaVu Sans Mono',monospace;font-size:.9em}\n"
    ".esc{padding:0 .15em;border:1px dotted var(--bad);border-radius:.2em;color:var(--bad);font-weight:400}\n"
    ".halves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:0 2rem}\n"
    ".scroll{overflow-x:auto;margin:.8rem 0}\n"
    "table{width:100%;border-collapse:collapse;font-size:.95rem}\n"
    "caption{padding:.2rem 0;text-align:left;font-weight:600}\n"
    "th,td{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top;font-weight:400;min-width:6rem;overflow-wrap:anywhere;unicode-bidi:isolate}\n"
    "thead th{border-bottom-width:2px;color:var(--dim);font-size:.85rem;font-weight:600;vertical-align:bottom}\n"
    "thead th{overflow-wrap:normal}\n"
    "th.n,td.n{min-width:0;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\n"
    "th.s,td.s,time{min-width:0;white-space:nowrap}\n"
    "td.n:last-child,th.n:last-child{padding-right:.2rem}\n"
    "td p:first-child{margin-top:0}\n"
    "figure{margin:.8rem 0}\nfigcaption{font-weight:600}\n"
    ".bars{display:grid;grid-template-columns:max-content minmax(0,1fr) max-content;gap:.15rem .8rem;"
    "align-items:center;margin-top:.3rem;max-width:48rem}\n"
    ".bars .name{grid-column:1/-1;margin-top:.5rem;overflow-wrap:anywhere}\n"
    ".bars .n{text-align:right;font-variant-numeric:tabular-nums}\n"
    ".bars svg{display:block;width:100%;height:.9rem}\n"
    ".bars .rail{fill:none;stroke:var(--line)}\n"
    ".bars .first{fill:var(--before)}\n.bars .second{fill:var(--after)}\n"
    "ol,ul{margin:.4rem 0;padding-left:1.5rem}\nli{margin:.3rem 0;overflow-wrap:anywhere}\n"
    "footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid var(--line);color:var(--dim);font-size:.85rem}\n"
    ".scroll:focus-visible{outline:2px solid var(--after)}\n",
    "@media screen and (max-width:40rem){dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:.4rem}\n"
    "table,tbody,tr,td,th,caption{display:block}\n"
    "thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\n"
    "tr{padding:.5rem 0;border-bottom:1px solid var(--line)}\n"
    "tbody th,tbody td,tbody td.n{min-width:0;padding:0;border:0;text-align:left;white-space:normal}\n"
    "tbody th{font-weight:600}th.s,td.s,td.n{display:inline-block;margin-right:1.2rem}\n"
    "td[data-title]::before{content:attr(data-title) ': ';color:var(--dim)}td:empty{display:none}}\n"
    "@page{size:A4;margin:15mm}\n"
    "@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--dim:#000;--line:#888;--soft:#fff;--good:#000;"
    "--warn:#000;--bad:#000;--before:#777;--after:#000}\n"
    "body{max-width:none;padding:0;font-size:10pt}h3{margin-top:1.2rem}\n"
    ".scroll{overflow:visible}table{font-size:9pt}\n"
    "code{overflow-wrap:anywhere}thead{display:table-header-group}\n"
    "h2,h3,h4,caption,figcaption{break-after:avoid}tr,.verdict,.bars,dt,li{break-inside:avoid}\n"
    "article+article{break-before:page;border:0;margin:0;padding:0}}\n",
};

void
html_append_style(struct text *out)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        text_append(out, parts[i]);
}
