// `npm run bench:counters`: measures reservations on every store, prints the table and writes it into docs/performance.md.
import { counterTableOf, writeCounters } from "./performance-page.ts";
import { measureCounters } from "./workloads/counters.ts";

const tell = ({ what, rows, pairs }: { readonly what: string; readonly rows: number; readonly pairs: number }) =>
  void process.stderr.write(`${what}, ${rows} rows: ${pairs.toFixed(0)} a second\n`);

const figures = await measureCounters({ ms: 3_000, tell });
console.log(counterTableOf(figures));
writeCounters(figures, new Date());
