"""How the summary page is laid out: its HTML frame and its style, light and dark."""

from __future__ import annotations

from string import Template

PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>magma_ros demo, $date</title>
<style>$style</style>
</head>
<body>
<main>
<header>
<h1>From pixels and a sentence to motion</h1>
<p>$subtitle</p>
</header>
<section class="figures">$figures</section>
$video
<section>
<h2>Episodes</h2>
<div class="wide">$episodes</div>
</section>
<div class="columns">
<section><h2>Success</h2>$success</section>
<section><h2>Latency per stage</h2>$stages</section>
</div>
<section><h2>Where this was measured</h2>$machine</section>
<footer>$files</footer>
</main>
</body>
</html>
""")

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6978; --line: #dfe4ea;
  --ground: #f6f7f9; --card: #fff; --good: #14804a; --bad: #b3372f; --mark: #2f62c9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf1; --soft: #98a4b3; --line: #2c3541;
  --ground: #12161c; --card: #1a2029; --good: #4cc38a; --bad: #f0837b; --mark: #86aefc; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem; }
h1 { margin: 0; font-size: 1.9rem; letter-spacing: -.02em; line-height: 1.2; }
h2 { margin: 0 0 .75rem; font-size: 1.05rem; }
header p, footer, .note { color: var(--soft); }
header p { margin: .4rem 0 0; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.1rem 1.25rem; margin-top: 1.25rem; min-width: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr));
  gap: 1rem; }
.figures strong { display: block; font-size: 1.65rem; letter-spacing: -.02em; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.figures span { color: var(--soft); font-size: .9rem; }
.film { padding: 0; overflow: hidden; background: #000; text-align: center; }
.film video { width: 100%; max-width: 48rem; display: block; margin: 0 auto; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr));
  column-gap: 1.25rem; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; font-size: .85rem; color: var(--soft); }
th, td { padding: .45rem .75rem .45rem 0; border-bottom: 1px solid var(--line);
  vertical-align: middle; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
td img { width: 7.5rem; border-radius: .4rem; display: block; }
.good { color: var(--good); font-weight: 600; }
.bad { color: var(--bad); font-weight: 600; }
.bar { position: relative; height: .5rem; min-width: 5rem; border-radius: .25rem;
  background: var(--line); }
.bar i { position: absolute; top: 0; bottom: 0; border-radius: .25rem; background: var(--mark);
  opacity: .4; }
.bar b { position: absolute; top: -.2rem; bottom: -.2rem; width: .2rem; border-radius: .1rem;
  background: var(--mark); }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .35rem 1.25rem;
  margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.note { font-size: .9rem; margin: .6rem 0 0; }
a { color: var(--mark); }
footer { margin-top: 1.25rem; font-size: .9rem; }
"""
