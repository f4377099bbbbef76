/* How a report looks: light and dark, screen and paper. SPDX-License-Identifier: BSD-2-Clause */
#include "tool/report.h"

static const char *const style[] = {
    ":root{color-scheme:light dark;--bg:#fff;--ink:#1b2026;--dim:#59636e;--rule:#dfe3e8;"
    "--card:#f5f7f9;--c1:#1768b3;--c2:#c2510c;--c3:#1b7f4d;--c4:#8346b8}\n",
    "@media(prefers-color-scheme:dark){:root{--bg:#15181b;--ink:#e6e9ec;--dim:#9da7b1;"
    "--rule:#30363c;--card:#1d2125;--c1:#6cb4f7;--c2:#f39a5f;--c3:#62cc93;--c4:#c6a1f1}}\n",
    "*{box-sizing:border-box}\n",
    "body{margin:0 auto;padding:2.5rem 1.5rem 3rem;max-width:74rem;background:var(--bg);"
    "color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',"
    "'Noto Sans','Liberation Sans',Arial,sans-serif;font-variant-numeric:tabular-nums}\n",
    "h1{margin:0 0 .25rem;font-size:1.9rem;line-height:1.2;font-weight:650;"
    "letter-spacing:-.01em;overflow-wrap:anywhere}\n",
    "h2{margin:2.75rem 0 .9rem;padding-top:1rem;border-top:1px solid var(--rule);"
    "font-size:1.2rem;font-weight:650}\n",
    "h3{margin:1.5rem 0 .5rem;font-size:1rem;font-weight:600}\n",
    "p{margin:.25rem 0;max-width:70ch}header p{max-width:none}.dim,footer{color:var(--dim)}\n",
    "sub,sup{line-height:0;font-size:.75em}\n",
    ".status span{display:inline-block;margin-top:.4rem;padding:.1rem .7rem;border-radius:1rem;"
    "background:var(--card);border:1px solid var(--rule);font-size:.875rem}\n",
    ".status .finished,.status .early{color:var(--c3)}.status .failed{color:var(--c2)}\n",
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;"
    "margin:1.75rem 0 .75rem}\n",
    ".tiles div{padding:.8rem 1rem;background:var(--card);border-radius:.5rem}\n",
    ".tiles dt{font-size:.875rem;color:var(--dim)}.tiles dd{margin:0;font-size:1.55rem;"
    "line-height:1.3;font-weight:600;white-space:nowrap}\n",
    ".tiles dd.note{font-size:.8125rem;font-weight:400;color:var(--dim);min-height:1.3em}\n",
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(28rem,100%),1fr));"
    "gap:1.5rem 2rem}\n",
    "figure{margin:0;min-width:0}figcaption{font-size:.9375rem;margin-bottom:.25rem}\n",
    "figcaption "
    "b{margin-right:.75rem}.key{margin-right:.75rem;font-size:.8125rem;color:var(--dim);white-"
    "space:nowrap}"
    ".key i{display:inline-block;width:1.1rem;height:0;margin-right:.35rem;"
    "border-top:2.5px solid;vertical-align:.25em}"
    ".key i.thin{border-top-width:1.5px;opacity:.45}"
    ".key i.box{height:.8rem;width:.8rem;border:0;border-radius:2px;vertical-align:-.05em}\n",
    "svg{display:block;width:100%;height:auto}\n",
    ".c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}\n",
    ".line{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round;"
    "stroke-linecap:round}.thin{stroke-width:1;opacity:.32}\n",
    ".dots circle{fill:currentColor;stroke:var(--bg);stroke-width:1}\n",
    ".grid{stroke:var(--rule);fill:none}.axis{stroke:var(--dim);fill:none}"
    ".mark{stroke:var(--dim);stroke-dasharray:3 3;fill:none}"
    ".tick{fill:var(--dim);font-size:12.5px}\n",
    ".strip{display:grid;grid-template-columns:repeat(4,1fr);gap:.75rem;margin:.5rem 0 1.25rem}\n",
    ".strip svg{background:var(--card);border-radius:3px}.strip figcaption{color:var(--dim);"
    "font-size:.8125rem;margin:0 0 .2rem}\n",
    "@media(max-width:46rem){.strip{grid-template-columns:repeat(2,1fr)}body{padding:1.25rem 1rem}}"
    "\n",
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9375rem}"
    "th,td{padding:.3rem .9rem .3rem 0;text-align:left;vertical-align:top;"
    "border-bottom:1px solid var(--rule)}\n",
    "thead th{font-weight:600;color:var(--dim);font-size:.8125rem}"
    "tbody th{font-weight:400;color:var(--dim);white-space:nowrap;padding-right:1.5rem}"
    "td.n,th.n{text-align:right;white-space:nowrap}\n",
    "tr.best td{font-weight:650}code{font:.875em/1.4 ui-monospace,'SF Mono',Menlo,Consolas,"
    "'DejaVu Sans Mono','Liberation Mono',monospace;overflow-wrap:anywhere}\n",
    ".confusion td{text-align:right;padding:.3rem .6rem;min-width:3.6rem;"
    "border:2px solid var(--bg);border-radius:4px}\n",
    ".two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(30rem,100%),1fr));"
    "gap:0 2.5rem}summary{cursor:pointer;margin:.9rem 0 .4rem;color:var(--dim)}\n",
    "td code{font-size:.75rem;white-space:nowrap}.command{max-width:none}"
    ".command span{display:inline-block;max-width:100%}\n",
    "footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--rule);font-size:.8125rem}"
    "footer p{max-width:none}\n",
    "@media print{body{max-width:none;padding:0;font-size:11pt}figure,.tiles div,tr,.strip"
    "{break-inside:avoid}h2,h3{break-after:avoid}}\n"};

void report_style(FILE *out)
{
    fputs("<style>\n", out);
    for (size_t i = 0; i < sizeof style / sizeof style[0]; i++) {
        fputs(style[i], out);
    }
    fputs("</style>\n", out);
}
