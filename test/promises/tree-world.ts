// Runs within runs, for tests: agents three deep that act, a store that remembers in which order what was written, and a cut through all of it.
import { type AgentOptions, createAgent, memoryStore, type RunHeader, type Store, tool } from "airworthy";
import { autoClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { z } from "zod";

interface Written {
  readonly runId: string;
  readonly line: string;
  /** With the first line of a run. */
  readonly header?: RunHeader;
}

/** A memory store, and every line of it in the order of writing, over all runs. */
export function writtenStore(): { readonly store: Store; readonly written: readonly Written[] } {
  const { journal } = memoryStore();
  const written: Written[] = [];
  const store: Store = {
    journal: {
      ...journal,
      create: async (header, lines) => {
        const created = await journal.create(header, lines);
        const [first, ...rest] = lines.map((line) => ({ runId: header.runId, line }));
        if (created && first) written.push({ ...first, header }, ...rest);
        return created;
      },
      append: (runId, at, lines, phase) => {
        const appended = journal.append(runId, at, lines, phase);
        written.push(...lines.map((line) => ({ runId, line })));
        return appended;
      },
    },
  };
  return { store, written };
}

/** A store as a crash leaves it that lets the first lines through, of whatever run they are. */
export async function cutStore(written: readonly Written[], lines: number): Promise<Store> {
  const store = memoryStore();
  const kept = written.slice(0, lines);
  for (const { header } of kept) {
    if (!header) continue;
    const own = kept.filter(({ runId }) => runId === header.runId).map(({ line }) => line);
    await store.journal.create(header, own);
  }
  return store;
}

/** Replies by the turn the conversation is in, so that it goes on rightly after a crash. */
export const byTurn = (...replies: readonly ScriptedReply[]) =>
  scriptedModel(({ messages }) => replies[messages.filter(({ role }) => role === "assistant").length] ?? "no reply");

export const call = (name: string, argument: object = { task: "x" }) => ({ name, arguments: argument, callId: "call" });

/** What was done, each with its idempotency key. */
export type Acts = string[];

export interface TreeOptions {
  readonly acts: Acts;
  readonly store: Store;
  /** What is known of mails when somebody looks; absent: nobody can look. */
  readonly sent?: (key: string) => boolean;
}

/** desk calls research and clerk side by side, and clerk once more; research calls clerk. Each of them acts. */
export function treeOf({ acts, store, sent }: TreeOptions) {
  const act = (name: string, repeat: "never" | "with-same-key") =>
    tool({
      description: "Acts.",
      inputSchema: z.object({}),
      effect: "send",
      repeat,
      execute: (_, { idempotencyKey }) => {
        acts.push(`${name} ${idempotencyKey}`);
        return `${name} done`;
      },
      ...(sent
        ? { reconcile: (_: object, { idempotencyKey: key }: { idempotencyKey: string }) => wordOf(sent(`${name} ${key}`), name) }
        : {}),
    });
  const common = { store, clock: autoClock() } satisfies Partial<AgentOptions>;
  const clerk = createAgent({
    ...common,
    name: "clerk",
    model: byTurn({ calls: [call("mail", {}), call("book", {})] }, "Mailed and booked."),
    tools: { mail: act("mail", "never"), book: act("book", "with-same-key") },
  });
  const clerkTool = clerk.asTool({ description: "Writes mails.", effect: "send" });
  const research = createAgent({
    ...common,
    name: "research",
    model: byTurn({ calls: [call("clerk")] }, { calls: [call("note", {})] }, '{"found":"it"}'),
    output: z.object({ found: z.string() }),
    tools: { clerk: clerkTool, note: act("note", "never") },
  });
  const desk = createAgent({
    ...common,
    name: "desk",
    model: byTurn({ calls: [call("research"), call("clerk")] }, { calls: [call("clerk"), call("mail", {})] }, "All done."),
    tools: { research: research.asTool({ description: "Finds out." }), clerk: clerkTool, mail: act("mail", "never") },
  });
  return { desk, research, clerk };
}

const wordOf = (done: boolean, name: string) =>
  done ? ({ status: "done", output: `${name} done` } as const) : ({ status: "not-done" } as const);
