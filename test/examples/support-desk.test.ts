// The examples as their readers run them: exit code, what is printed where, and the story the output tells.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { root, runExample } from "./examples.ts";

const [program, ...start] = manifest.scripts.start.split(" ");
const npmStart = (...args: string[]) => runExample([...start, ...args]);

test("npm start runs on node alone", () => {
  expect(program).toBe("node");
});

describe.concurrent("npm start", { timeout: 30_000 }, () => {
  test("does the whole job, against all that goes wrong", async () => {
    const { exitCode, stdout, stderr } = await npmStart();
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);

    const [, progress = "", table = "", result = ""] = stdout.split("\n\n");
    expect(progress, "a 429 is waited out").toMatch(
      /turn-1\/model\/0 +failed: rate_limited, again in 1[4-9]\d ms\n.* turn-1\/model\/0 +gpt-5-mini, attempt 2\n/,
    );
    expect(progress, "the text is shown").toContain("| I look up order 4711.\n");
    expect(progress, "a read is repeated").toMatch(/tool\/0 +failed: tool_failed, again in .*\n.*tool\/0 +findOrder, attempt 2\n.* done\n/);
    expect(progress, "a payment cut off is not guessed at").toMatch(/turn-2\/tool\/0 +refundOrder ended with tool_input_invalid\n/);
    expect(progress, "a payment is repeated under its key").toMatch(/turn-3\/tool\/0 +refundOrder, attempt 2\n.* done\n/);
    expect(progress.match(/sendMail/g), "a mail is sent once").toHaveLength(1);

    for (const stage of ["input-filter", "context", "planner", "executor", "output-filter", "response-builder"]) {
      expect(table).toMatch(new RegExp(`^ +\\d+ +\\d+  (turn-\\d/)?${stage} +done$`, "m"));
    }
    expect(table).toMatch(/ turn-1\/model\/0 {2}gpt-5-mini +done after 2 attempts +\d+ \+ \d+ +\$0\.000\d{3}$/m);
    expect(table).toMatch(/ turn-1\/model\/0 {2}attempt 1 +rate_limited$/m);
    expect(table).toMatch(/ turn-3\/tool\/0 {2}refundOrder +done after 2 attempts$/m);
    expect(table).toMatch(/ end +completed$/m);

    expect(result).toMatch(/^status {4}completed\nanswer {4}We have paid back 48\.50 EUR for the teapot of order 4711\./);
    expect(result).toMatch(/^tokens {4}\d+ in, \d+ out, for 5 model calls$/m);
    expect(result).toMatch(/^degraded {2}none$/m);
  });

  test("keeps to a budget, and ends with what there is and what is missing", async () => {
    const { exitCode, stdout } = await npmStart("--budget", "0.002");
    expect(exitCode).toBe(0);
    const [, progress = "", table = "", result = ""] = stdout.split("\n\n");
    expect(progress, "the last answer is shown").toContain("| Order 4711: delivered late, on 18 November. I could not refund it yet;");
    expect(progress).toMatch(/turn-1\/model\/0 +done, \$0\.0001\d\d\n/);
    expect(progress).toMatch(/ partial with budget_exceeded$/);
    expect(table, "every step says what it cost").toMatch(/ turn-2\/wrap-up\/model\/0 .* done +\d+ \+ \d+ +\$0\.000\d{3}$/m);
    expect(result).toMatch(/^status {4}partial\nanswer {4}Order 4711: delivered late/);
    expect(result).toMatch(/^cost {6}\$0\.000\d{3}$/m);
    expect(stdout).not.toContain("refundOrder");
  });

  test("a budget that affords nothing sends nothing", async () => {
    const { exitCode, stdout } = await npmStart("--budget", "0");
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^status {4}refused\nanswer {4}budget_exceeded/m);
    expect(stdout).not.toContain("gpt-5-mini");
  });

  test("names the tool that had to be stood in for", async () => {
    const { exitCode, stdout } = await npmStart("Refund order 4713, please.");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("refundOrder ended with tool_failed");
    expect(stdout).toContain("A colleague will pay back 19.90 EUR");
    expect(stdout).toContain("degraded  refundOrder, answered by queueRefund\n");

    expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
    expect(stdout, "no colours where there is no terminal").not.toContain("\u001b");
  });

  test.for([
    ["an order that does not exist", "Refund order 9999, please.", "I find no order 9999. Please check the number; nothing was refunded."],
    ["an order that is on its way", "I want my money back for 4712", "Order 4712: on its way, due on 23 November."],
    ["no refund asked for", "Where is order 4711?", "Order 4711: delivered late, on 18 November."],
    ["no order named", "I am not happy.", "Which order is it about?"],
  ] as const)("is honest: %s", async ([, message, answer]) => {
    const { exitCode, stdout, stderr } = await npmStart(message);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("status    completed\n");
    expect(stdout).toContain(answer);
    expect(stdout).not.toMatch(/refundOrder|sendMail/);
  });

  test("takes words without quotes as one message", async () => {
    const { stdout } = await npmStart("Order", "9999", "never", "came");
    expect(stdout).toContain("Customer: Order 9999 never came\n");
  });

  test.for([
    ["an unknown option", ["--lvie"], "--lvie"],
    ["an empty message", [" "], "empty"],
    ["an empty model", ["--model", ""], "--model"],
    ["--live without a key", ["--live"], "OPENAI_API_KEY"],
    ["an empty file", ["--durable", "--file", ""], "--file"],
    ["a file for nothing", ["--file", "runs.db"], "--durable"],
    ["a replay that would go on", ["--replay", "--durable"], "--replay"],
    ["dying in memory", ["--die-after", "refundOrder"], "--durable"],
    ["dying after no tool", ["--durable", "--die-after", "refund"], "refundOrder"],
  ] as const)("says what is wrong and does nothing: %s", async ([, args, word]) => {
    const { exitCode, stdout, stderr } = await npmStart(...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    const [complaint, usage] = stderr.split("\n\n");
    expect(complaint).toContain(word);
    expect(usage).toMatch(/^Usage: npm start -- /);
  });

  test("--help prints the usage where it can be piped", async () => {
    const { exitCode, stdout, stderr } = await npmStart("--help");
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: npm start -- /);
    expect(stdout.split("\n").filter((line) => line.length > 100)).toEqual([]);
  });

  test.skipIf(process.platform === "win32")("Ctrl-C cancels the run, which is still shown to its end", async () => {
    const { exitCode, stdout } = await runExample(start, { signal: "SIGINT" });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/ end +cancelled: cancelled$/m);
    expect(stdout).toMatch(/^status {4}cancelled$/m);
  });
});

describe("the quickstart", () => {
  test("runs", async () => {
    const { exitCode, stdout, stderr } = await runExample(["--conditions=airworthy-source", "examples/quickstart.ts"]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: "It arrives on Monday.\n", stderr: "" });
  });

  test("is quick", () => {
    const lines = readFileSync(new URL("examples/quickstart.ts", root), "utf8").trimEnd().split("\n");
    expect(lines.length).toBeLessThanOrEqual(30);
  });
});
