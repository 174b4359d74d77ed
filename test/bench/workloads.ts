// Every workload, in the order of the table.
import type { Workload } from "./measure.ts";
import { crowds } from "./workloads/crowd.ts";
import { durable } from "./workloads/durable.ts";
import { http } from "./workloads/http.ts";
import { importing } from "./workloads/import.ts";
import { longRun } from "./workloads/long-run.ts";
import { loop } from "./workloads/loop.ts";
import { parallel } from "./workloads/parallel.ts";
import { spans } from "./workloads/spans.ts";
import { stream } from "./workloads/stream.ts";

export const workloads: readonly Workload[] = [loop, parallel, stream, crowds, spans, longRun, importing, http, durable];
