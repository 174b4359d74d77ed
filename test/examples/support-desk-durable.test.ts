// The support desk with its run in a file, killed with SIGKILL half-way: started again it goes on, pays once, and can be walked through again.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { type RunExampleOptions, runExample } from "./examples.ts";

const [, ...start] = manifest.scripts.start.split(" ");
// Node 22 says of its SQLite that it is an experiment.
const node = ["--disable-warning=ExperimentalWarning", ...start];
const answer = "We have paid back 48.50 EUR for the teapot of order 4711.";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "airworthy-desk-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A desk whose runs are kept in a file of this name. */
function deskOf(name: string) {
  const file = join(folder, name);
  const desk = (args: readonly string[], options?: RunExampleOptions) => runExample([...node, "--file", file, ...args], options);
  /** What the shop knows, whoever asks it. */
  const books = () => {
    const text = readFileSync(`${file}-shop.jsonl`, "utf8").trimEnd();
    return text.split("\n").map((line) => Object.keys(JSON.parse(line)).join());
  };
  return { file, desk, books };
}

describe.concurrent("npm start -- --durable", { timeout: 30_000 }, () => {
  test("killed between the payment and its record, it goes on, pays once and ends as ever", async () => {
    const { file, desk, books } = deskOf("dies.db");
    const killed = await desk(["--durable", "--die-after", "refundOrder"]);
    expect({ exitCode: killed.exitCode, stderr: killed.stderr }, "it had no time to say a word").toEqual({ exitCode: null, stderr: "" });
    expect(killed.stdout).toContain(`The run is kept in ${file}.\n\n`);
    expect(killed.stdout).toMatch(/turn-3\/tool\/0 +refundOrder, attempt 2\n$/);
    expect(books()).toEqual(["refund"]);

    const early = await desk(["--replay"]);
    expect({ exitCode: early.exitCode, stdout: early.stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(early.stderr).toMatch(/^run_active: /);

    const second = await desk(["--durable"]);
    expect({ exitCode: second.exitCode, stderr: second.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(second.stdout).toContain("It is there, unfinished.");
    const [told = "", done = ""] = second.stdout.split(/^ +\d+ ms +resumed\n/m);
    expect(told, "told from the journal").toMatch(/I look up order 4711\.\n.*turn-1\/tool\/0 +findOrder\n/s);
    expect(done, "the payment is asked for again, under its key").toMatch(/^.* turn-3\/tool\/0 +refundOrder, attempt 3\n.* done\n/);
    expect(done).not.toMatch(/ turn-[12]\/model\/0 +gpt-5-mini\n| findOrder\n/);
    expect(done).toContain(`status    completed\nanswer    ${answer}`);
    expect(books()).toEqual(["refund", "mail"]);

    const third = await desk(["--durable"]);
    expect({ exitCode: third.exitCode, stderr: third.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(third.stdout).toContain("It is there, and has ended.");
    expect(resultIn(third.stdout)).toBe(resultIn(second.stdout));

    const replayed = await desk(["--replay"]);
    expect({ exitCode: replayed.exitCode, stderr: replayed.stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(replayed.stdout).toContain("No model was asked, no tool was called.\n");
    expect(replayed.stdout).toMatch(/ turn-3\/tool\/0 {2}refundOrder +done after 3 attempts$/m);
    expect(resultIn(replayed.stdout)).toBe(resultIn(second.stdout));
    expect(books()).toEqual(["refund", "mail"]);

    const other = await desk(["--replay", "--model", "gpt-5"]);
    expect({ exitCode: other.exitCode, stdout: other.stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(other.stderr).toMatch(/^replay_diverged: .* turn-1\/model\/0: .*gpt-5-mini.*gpt-5\./);
  });

  test.skipIf(process.platform === "win32")("killed from outside at any time, it pays once all the same", async () => {
    const { desk, books } = deskOf("killed.db");
    for (const after of ["Customer:", "turn-1/tool/0", "turn-3/tool/0"]) {
      const { exitCode } = await desk(["--durable"], { signal: "SIGKILL", after });
      expect(exitCode, after).toBe(null);
    }
    const { exitCode, stdout } = await desk(["--durable"]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("It is there, unfinished.");
    expect(stdout).toContain(`answer    ${answer}`);
    expect(books()).toEqual(["refund", "mail"]);
  });

  test("a mail that may have gone out waits for a person", async () => {
    const { desk, books } = deskOf("mail.db");
    expect((await desk(["--durable", "--die-after", "sendMail"])).exitCode).toBe(null);
    const { exitCode, stdout } = await desk(["--durable"]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^status {4}suspended\nanswer {4}A person has to look at sendMail\.$/m);
    expect(books()).toEqual(["refund", "mail"]);
    const replayed = await desk(["--replay"]);
    expect({ exitCode: replayed.exitCode, stderr: replayed.stderr }, "it was taken the same way").toEqual({ exitCode: 0, stderr: "" });
  });

  test("an order that is paid back is not paid back by another run", async () => {
    const { desk, books } = deskOf("twice.db");
    expect((await desk(["--durable"])).exitCode).toBe(0);
    const { exitCode, stdout } = await desk(["--durable", "Refund order 4711, please."]);
    expect(exitCode).toBe(0);
    expect(stdout).toContain("Order 4711: paid back, or about to be.");
    expect(books()).toEqual(["refund", "mail"]);
  });

  test("there is nothing to replay before there was a run", async () => {
    const { exitCode, stdout, stderr } = await deskOf("none.db").desk(["--replay"]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^run_not_found: .*--durable makes it\.\n$/);
  });
});

/** From the status on. */
const resultIn = (stdout: string) => stdout.slice(stdout.indexOf("\nstatus "));
