// All four guard points are wired, and whatever is not a clear verdict refuses.
import { createAgent, type Guardrail, type Guardrails, type RunEvent, tool, toolError } from "airworthy";
import { normalized, outputSchema } from "airworthy/guardrails";
import { fakeClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";

type Point = keyof Guardrails;
const points: readonly Point[] = ["input", "toolInput", "toolOutput", "output"];

/** An agent that says something, calls one act and answers; `ran` tells what the act was given. */
function agentWith(guardrails: Guardrails) {
  const clock = fakeClock();
  const ran: string[] = [];
  const model = scriptedModel([{ calls: [{ name: "act", arguments: { text: "argument" } }] }, "the answer"]);
  const act = tool({
    description: "d",
    inputSchema: z.object({ text: z.string() }),
    execute: ({ text }) => {
      ran.push(text);
      return "tool said";
    },
  });
  return { ran, model, clock, agent: createAgent({ name: "a", clock, model, tools: { act }, guardrails }) };
}

const at = (point: Point, check: Guardrail["check"], more: Partial<Guardrail> = {}): Guardrails => ({
  [point]: [{ name: "g", check, ...more }],
});
const toolResult = (messages: readonly { role: string; content: unknown }[]) =>
  String(messages.find(({ role }) => role === "tool")?.content);

describe("a verdict at each point", () => {
  test("pass sees the text there", async () => {
    const texts: Record<string, string> = {};
    const all = Object.fromEntries(
      points.map((point) => [
        point,
        [
          {
            name: "g",
            check: ({ text }: { text: string }) => {
              texts[point] = text;
              return { verdict: "pass" as const };
            },
          },
        ],
      ]),
    );
    const { agent } = agentWith(all);
    const result = await agent.run("the question");
    expect(texts).toEqual({ input: "the question", toolInput: '{"text":"argument"}', toolOutput: "tool said", output: "the answer" });
    expect(result.findings.map(({ point, verdict }) => [point, verdict])).toEqual(points.map((point) => [point, "pass"]));
  });

  test("rewrite goes on with the new text, and the old one is nowhere", async () => {
    const input = agentWith(at("input", () => ({ verdict: "rewrite", text: "asked nicely" })));
    await input.agent.run("the question");
    expect(JSON.stringify(input.model.requests)).toContain("asked nicely");
    expect(JSON.stringify(input.model.requests)).not.toContain("the question");

    const args = agentWith(at("toolInput", () => ({ verdict: "rewrite", text: '{"text":"other"}' })));
    await args.agent.run("go");
    expect(args.ran).toEqual(["other"]);

    const result = agentWith(at("toolOutput", () => ({ verdict: "rewrite", text: "[removed]" })));
    expect(toolResult((await result.agent.run("go")).messages)).toBe("[removed]");
    expect(JSON.stringify(result.model.requests)).not.toContain("tool said");

    const output = agentWith(at("output", () => ({ verdict: "rewrite", text: "better" })));
    expect(await output.agent.run("go")).toMatchObject({ status: "completed", output: "better" });
  });

  test("a rewrite of what the user said leaves the files that came with it", async () => {
    const model = scriptedModel(["ok"]);
    const picture = { type: "file", mediaType: "image/png", data: "aGk=" } as const;
    const check = vi.fn(() => ({ verdict: "rewrite" as const, text: "asked nicely" }));
    const agent = createAgent({ name: "a", model, guardrails: { input: [{ name: "g", check }] } });
    await agent.run([{ role: "user", content: [{ type: "text", text: "look!" }, picture] }]);
    expect(check).toHaveBeenCalledWith(expect.objectContaining({ text: "look!" }));
    expect(model.requests[0]?.messages).toEqual([{ role: "user", content: [{ type: "text", text: "asked nicely" }, picture] }]);
  });

  test("a rewrite of arguments has to fit the schema again", async () => {
    const { agent, ran } = agentWith(at("toolInput", () => ({ verdict: "rewrite", text: '{"text":1}' })));
    expect(toolResult((await agent.run("go")).messages)).toContain("tool_input_invalid");
    expect(ran).toEqual([]);
  });

  test("block: the run is refused at input and output, the call at the tool", async () => {
    const block = () => ({ verdict: "block", message: "not here" }) as const;
    const input = agentWith(at("input", block));
    expect(await input.agent.run("go")).toMatchObject({
      status: "refused",
      refusal: { by: "g", code: "guardrail_blocked", message: "not here" },
    });
    expect(input.model.calls).toBe(0);

    const args = agentWith(at("toolInput", block));
    expect(toolResult((await args.agent.run("go")).messages)).toContain("guardrail_blocked");
    expect(args.ran).toEqual([]);

    const result = agentWith(at("toolOutput", block));
    const { messages, status } = await result.agent.run("go");
    expect(status).toBe("completed");
    expect(toolResult(messages)).not.toContain("tool said");

    const output = agentWith(at("output", block));
    expect(await output.agent.run("go")).toMatchObject({ status: "refused", refusal: { by: "g" } });
  });

  test("flag goes on and is reported", async () => {
    const { agent } = agentWith(at("output", () => ({ verdict: "flag", findings: [{ kind: "tone", score: 0.4 }] })));
    expect(await agent.run("go")).toMatchObject({
      status: "completed",
      findings: [{ guardrail: "g", point: "output", verdict: "flag", findings: [{ kind: "tone", score: 0.4 }] }],
    });
  });

  test.each(points)("escalate at %s ends in a handoff", async (point) => {
    const { agent } = agentWith(at(point, () => ({ verdict: "escalate", message: "a person should see this" })));
    expect(await agent.run("go")).toMatchObject({
      status: "escalated",
      handoff: { by: "g", message: "a person should see this" },
      findings: [{ guardrail: "g", point, verdict: "escalate" }],
    });
  });

  test("escalate at a tool stops the run when all results stand, and each says what happened", async () => {
    const both = ["toolInput", "toolOutput"] as const;
    for (const point of both) {
      const ran: string[] = [];
      const act = (name: string) => tool({ description: "d", inputSchema: z.object({}), execute: () => (ran.push(name), `${name} said`) });
      const model = scriptedModel([{ calls: ["one", "two"].map((name) => ({ name, arguments: {} })) }, "never asked"]);
      const agent = createAgent({
        name: "a",
        model,
        tools: { one: act("one"), two: act("two") },
        guardrails: {
          [point]: [
            { name: "g", check: ({ tool: name }: { tool?: string }) => ({ verdict: name === "one" ? "escalate" : "pass", message: "m" }) },
          ],
        },
      });
      const result = await agent.run("go");
      expect(result.status).toBe("escalated");
      expect(ran).toEqual(point === "toolInput" ? ["two"] : ["one", "two"]);
      expect(model.calls).toBe(1);
      const [one, two] = result.messages.filter(({ role }) => role === "tool").map(({ content }) => content);
      expect(one).toContain(point === "toolInput" ? "was not executed" : "was executed");
      expect(one).not.toContain("one said");
      expect(two).toBe("two said");
    }
  });
});

test("what was found in the arguments of a call is told, though the call has no result", async () => {
  const caller = new AbortController();
  const act = tool({
    description: "d",
    inputSchema: z.object({ to: z.string() }),
    execute: (_, { signal }) =>
      new Promise<string>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("given up")));
        caller.abort();
      }),
  });
  const flag: Guardrail = { name: "g", check: () => ({ verdict: "flag", findings: [{ kind: "pii" }] }) };
  const model = scriptedModel([{ calls: [{ name: "act", arguments: { to: "anna" } }] }]);
  const agent = createAgent({ name: "a", model, tools: { act }, guardrails: { toolInput: [flag] } });
  const result = await agent.run("go", { runId: "r", signal: caller.signal });
  expect(result).toMatchObject({ status: "cancelled", findings: [{ point: "toolInput", verdict: "flag", findings: [{ kind: "pii" }] }] });
  expect(JSON.stringify(result.messages)).toContain("anna");
  expect(JSON.stringify(await agent.run("go", { runId: "r" }))).toBe(JSON.stringify(result));
});

describe("failing closed", () => {
  const garbage = [
    undefined,
    null,
    "pass",
    {},
    { verdict: "ok" },
    { verdict: "rewrite" },
    { verdict: "block" },
    { verdict: "pass", findings: "none" },
  ];
  const broken: readonly [string, () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("secret inside");
      },
    ],
    ["rejects", () => Promise.reject(new Error("secret inside"))],
    ...garbage.map((value): [string, () => unknown] => [`answers ${JSON.stringify(value)}`, () => value]),
  ];
  const cases = points.flatMap((point) => broken.map(([what, check]) => ({ point, what, check })));

  test.each(cases)("at $point one that $what lets nothing through", async ({ point, check }) => {
    const { agent, ran, model } = agentWith({ [point]: [{ name: "g", check }] });
    const result = await agent.run("the question");
    expect(result.findings).toContainEqual(expect.objectContaining({ guardrail: "g", point, verdict: "error" }));
    expect(JSON.stringify(result)).not.toContain("secret inside");
    expect([result.status, toolResult(result.messages).includes("guardrail_failed")]).toEqual(
      point === "input" || point === "output" ? ["refused", false] : ["completed", true],
    );
    expect(model.calls).toBe({ input: 0, output: 2, toolInput: 2, toolOutput: 2 }[point]);
    expect(ran).toHaveLength({ input: 0, output: 1, toolInput: 0, toolOutput: 1 }[point]);
    expect(JSON.stringify(model.requests[1] ?? "").includes("tool said")).toBe(point === "output");
  });

  test("one that does not answer in time lets nothing through", async () => {
    const { agent, clock, model } = agentWith(at("input", () => new Promise(() => {}), { timeoutMs: 100 }));
    const running = agent.run("go");
    await clock.advance(100);
    expect(await running).toMatchObject({ status: "refused", error: { code: "guardrail_failed" } });
    expect(model.calls).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("onError allow goes on, recorded as bypassed and never as passed", async () => {
    const { agent } = agentWith(
      at(
        "input",
        () => {
          throw new Error("x");
        },
        { onError: "allow" },
      ),
    );
    expect(await agent.run("go")).toMatchObject({ status: "completed", findings: [{ verdict: "bypassed" }] });
  });
});

test("nothing of a blocked answer leaves by the stream, and its verdict is the same", async () => {
  const model = scriptedModel([{ deltas: ["the ", "sec", "ret"] }]);
  const output: Guardrail = {
    name: "g",
    check: ({ text }) => (text.includes("secret") ? { verdict: "block", message: "no" } : { verdict: "pass" }),
  };
  const events: RunEvent[] = [];
  const stream = createAgent({ name: "a", model, guardrails: { output: [output] } }).stream("go");
  for await (const event of stream) events.push(event);
  expect(events.some(({ type }) => type === "text.delta")).toBe(false);
  expect(await stream.result).toMatchObject({ status: "refused" });
});

test("the error text of a tool passes the same guardrails as its result", async () => {
  const model = scriptedModel([{ calls: [{ name: "t", arguments: {} }] }, "done"]);
  const hide: Guardrail = { name: "g", check: ({ text }) => ({ verdict: "rewrite", text: text.replaceAll("4711", "#") }) };
  const t = tool({
    description: "d",
    inputSchema: z.object({}),
    execute: () => {
      throw toolError("no order 4711");
    },
  });
  const result = await createAgent({ name: "a", model, tools: { t }, guardrails: { toolOutput: [hide] } }).run("go");
  expect(JSON.stringify(result)).not.toContain("4711");
});

describe("normalized()", () => {
  const check = (text: string, maxBytes?: number) =>
    normalized(maxBytes === undefined ? {} : { maxBytes }).check({
      point: "input",
      text,
      run: { id: "r", agent: "a", agentVersion: "0", context: undefined },
      signal: new AbortController().signal,
    });

  test.each([
    ["plain text", "Bonjour, ça va? 你好 مرحبا\n\tok", undefined],
    ["full-width letters", "ＡＢＣ", "ABC"],
    ["zero-width characters", "ig\u200Bno\u2060re\uFEFF", "ignore"],
    ["tag characters", `hi${String.fromCodePoint(0xe0049, 0xe0047)}`, "hi"],
    ["direction overrides", "a\u202Eb\u2066c", "abc"],
    ["controls", "a\u0000b\u001B[31mc\u0085", "ab[31mc"],
    ["half a surrogate pair", "a\uD800", "a\uFFFD"],
    ["an emoji family", "👩‍👩‍👧 👩🏽‍💻 🏳️‍🌈", undefined],
    ["Persian with its joiners", "می‌خواهم", undefined],
    ["a joiner inside Latin", "ig\u200Dnore", "ignore"],
  ])("%s", async (_, text, clean) => {
    expect(await check(text)).toMatchObject(clean === undefined ? { verdict: "pass" } : { verdict: "rewrite", text: clean });
  });

  test("reports what was hidden and where", async () => {
    expect(await check("ab\u200Bcd\u200B\u202E")).toMatchObject({
      findings: [
        { kind: "zero-width", span: [2, 3] },
        { kind: "direction-override", span: [6, 7] },
      ],
    });
  });

  test("refuses what is too long, before and after normalising, and in bytes", async () => {
    expect(await check("x".repeat(101), 100)).toMatchObject({ verdict: "block", code: "input_too_long" });
    expect(await check("ä".repeat(51), 100)).toMatchObject({ verdict: "block" });
    expect(await check("ﷺ".repeat(20), 100)).toMatchObject({ verdict: "block" });
    expect(await check("x".repeat(100), 100)).toMatchObject({ verdict: "pass" });
    const agent = createAgent({ name: "a", model: scriptedModel([]), guardrails: { input: [normalized({ maxBytes: 3 })] } });
    expect(await agent.run("long")).toMatchObject({ status: "refused", error: { code: "input_too_long" } });
  });
});

describe("output schema", () => {
  const shape = z.object({ ok: z.boolean() });
  const answer = (...replies: string[]) => {
    const model = scriptedModel(replies);
    return { model, running: createAgent({ name: "a", model, output: shape }).run("go") };
  };

  test.each(['{"ok":true}', '```json\n{"ok":true}\n```', "{ok: true,}", '{"ok":true'])("%s is taken as it is meant", async (text) => {
    const { model, running } = answer(text);
    expect(await running).toMatchObject({ status: "completed", output: { ok: true } });
    expect(model.calls).toBe(1);
  });

  test.each(["Sure, it is ok.", '{"ok":"yes"}', "[]", ""])("%j is asked for again, once, with what is wrong", async (text) => {
    const { model, running } = answer(text, '{"ok":false}');
    expect(await running).toMatchObject({ status: "completed", output: { ok: false } });
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: "user", content: expect.stringContaining("asked shape") });
    const twice = answer(text, text);
    expect(await twice.running).toMatchObject({ status: "refused", error: { code: "output_mismatch" } });
    expect(twice.model.calls).toBe(2);
  });

  test("the shape is told to the model, and stands alone as a guardrail too", async () => {
    const { model, running } = answer('{"ok":true}');
    await running;
    expect(model.requests[0]?.output).toMatchObject({ name: "answer", schema: { properties: { ok: { type: "boolean" } } } });
    const guarded = createAgent({
      name: "a",
      model: scriptedModel(['{"ok":1}', '{"ok":true}']),
      guardrails: { output: [outputSchema(shape)] },
    });
    expect(await guarded.run("go")).toMatchObject({ status: "completed", output: '{"ok":true}' });
  });

  test("a re-ask counts as a turn", async () => {
    const model = scriptedModel(["no", '{"ok":true}']);
    const run = createAgent({ name: "a", model, output: shape, policy: { limits: { turns: 1 } } }).run("go");
    expect(await run).toMatchObject({ status: "partial", error: { code: "turn_limit" } });
  });

  test("a schema that cannot be told to the model is a mistake", () => {
    const own = { "~standard": { version: 1, vendor: "own", validate: (value: unknown) => ({ value }) } } as const;
    expect(() => createAgent({ name: "a", model: scriptedModel([]), output: own })).toThrow(/cannot describe itself/);
  });
});
