// `npm run bench`: measures every workload, shows how far it has come, prints the table and writes it into docs/performance.md.
// `npm run bench -- loop stream` measures these alone, and writes nothing.
import { endChild, nextMessage, startChild } from "./child.ts";
import type { Figure } from "./measure.ts";
import { tableOf, writePage } from "./performance-page.ts";
import { workloads } from "./workloads.ts";

interface Word {
  readonly done?: number;
  readonly of?: number;
  readonly figures?: readonly Figure[];
}

/** One line that fills up; where nobody watches, one line per workload. */
function show(name: string, done: number, of: number) {
  const over = done >= of;
  if (process.stderr.isTTY) process.stderr.write(`\r${name.padEnd(10)} ${"#".repeat(done)}${".".repeat(of - done)}${over ? "\n" : ""}`);
  else if (over) process.stderr.write(`${name}: ${of} rounds\n`);
}

async function measured(name: string): Promise<readonly Figure[]> {
  const child = startChild("workload-process.ts", [name]);
  show(name, 0, 20);
  try {
    for (;;) {
      const { done = 0, of = 0, figures }: Word = Object(await nextMessage(child));
      if (figures) return figures;
      show(name, Math.floor((done * 20) / of), 20);
    }
  } finally {
    await endChild(child);
  }
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !workloads.some((workload) => workload.name === name));
if (unknown.length > 0) {
  console.error(`There is no workload ${unknown.join(", ")}; there are ${workloads.map(({ name }) => name).join(", ")}.`);
  process.exit(1);
}
const figures: Figure[] = [];
for (const { name } of workloads) if (asked.length === 0 || asked.includes(name)) figures.push(...(await measured(name)));
console.log(tableOf(figures));
if (asked.length === 0) writePage(figures, new Date());
