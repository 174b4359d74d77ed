// What the command line asks for. Nothing is started here: a mistake is said, with the usage, before anything is done.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { tools } from "./tools.ts";

export const defaultMessage = "Order 4711 arrived damaged. Please refund it.";
const defaultFile = fileURLToPath(new URL("runs.db", import.meta.url));
const usage = `Usage: npm start -- [options] ["what the customer writes"]

Without a text the customer writes: ${defaultMessage}
The shop knows the orders 4711, 4712 and 4713. The model is simulated on this machine, and so is
all that goes wrong on the way.

  --durable            keep the run in SQLite, and the shop's books beside it: killed and started
                       again, it goes on where it was; delete the file and its books to begin anew
  --die-after <tool>   with --durable: kill -9 this process when the tool has done its work, and
                       nobody has written that down yet; findOrder, refundOrder or sendMail
  --replay             walk through the kept run again, asking and doing nothing, and say whether
                       the code still takes the same way
  --budget <usd>       what the run may cost, such as 0.002; when it is used up, the customer is
                       told what is known and what is missing
  --file <path>        where --durable keeps and --replay finds it, default runs.db in the example
  --live               ask OpenAI instead; needs OPENAI_API_KEY and costs a little
  --model <id>         the model to ask, default gpt-5-mini
  -h, --help           this text`;

const options = {
  durable: { type: "boolean" },
  "die-after": { type: "string" },
  replay: { type: "boolean" },
  file: { type: "string" },
  budget: { type: "string" },
  live: { type: "boolean" },
  model: { type: "string", default: "gpt-5-mini" },
  help: { type: "boolean", short: "h" },
} as const;

export interface Job {
  readonly message: string;
  readonly modelId: string;
  /** Absent: simulate. */
  readonly apiKey: string | undefined;
  /** Where the run is kept. Absent: in memory. */
  readonly file: string | undefined;
  readonly dieAfter: string | undefined;
  /** US dollars. Absent: no cap. */
  readonly budget: number | undefined;
  readonly replay: boolean;
}

/** Undefined when there is nothing to do; then it has been said why. */
export function readJob(): Job | undefined {
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (!values.help) return jobOf(values, positionals);
    console.log(usage);
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    console.error(`${thrown.message}\n\n${usage}`);
    process.exitCode = 2;
  }
  return undefined;
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];

function jobOf(values: Values, positionals: readonly string[]): Job {
  const { durable = false, replay = false, live = false, model: modelId, "die-after": dieAfter } = values;
  const budget = amountIn(values.budget);
  const message = positionals.length > 0 ? positionals.join(" ") : defaultMessage;
  const apiKey = live ? process.env["OPENAI_API_KEY"] : undefined;
  const file = durable || replay ? (values.file ?? defaultFile) : undefined;
  const mistakes = {
    "What the customer writes is empty.": !message.trim(),
    "Option '--model <id>' is empty.": !modelId.trim(),
    "--live needs your key in the environment variable OPENAI_API_KEY.": live && !apiKey,
    "--budget takes an amount in US dollars, such as 0.002.": Number.isNaN(budget),
    ...mistakesOfKeeping(values),
  };
  const [mistake] = Object.entries(mistakes).find(([, made]) => made) ?? [];
  if (mistake !== undefined) throw new TypeError(mistake);
  return { message, modelId, apiKey, file, dieAfter, budget, replay };
}

/** NaN for what is no amount, or more than anybody means. */
function amountIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const usd = text.trim() === "" ? Number.NaN : Number(text);
  return usd >= 0 && usd <= 1_000 ? usd : Number.NaN;
}

function mistakesOfKeeping({ durable = false, replay = false, live = false, file, "die-after": dieAfter }: Values) {
  return {
    "Option '--file <path>' is empty.": file?.trim() === "",
    "--file needs --durable or --replay.": file !== undefined && !durable && !replay,
    "--replay asks and does nothing, so it goes with neither --durable nor --live.": replay && (durable || live),
    "--die-after needs --durable: a run in memory dies with its process.": dieAfter !== undefined && !durable,
    [`--die-after takes ${Object.keys(tools).join(", ")}.`]: dieAfter !== undefined && !Object.hasOwn(tools, dieAfter),
  };
}
