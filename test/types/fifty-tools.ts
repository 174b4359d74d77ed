// One file of fifty tools, as text, for each schema library: written with airworthy, and with types of one's own in two ways.

export const libraries = ["zod 4", "valibot", "arktype", "JSON Schema"] as const;
export type Library = (typeof libraries)[number];

/**
 * `by hand`: an interface written out for the input of each tool, and one for tools. `inferred`: the same, with each input inferred from
 * its schema by the schema library's own means. `airworthy`: tool() and createAgent(). Schemas and functions are the same in all three,
 * so what the schema library costs by itself is on every side; what inferring costs is in the last two.
 */
export const manners = ["by hand", "inferred", "airworthy"] as const;
export type Manner = (typeof manners)[number];

interface Dialect {
  readonly imports: string;
  /** The schema of the `n`-th tool. The same shape in every dialect, and no two tools alike, so that no type is made once for all. */
  readonly schema: (n: number) => string;
  /** What is inferred from the constant of that name. */
  readonly inferred: (schema: string) => string;
}

const dialects: Readonly<Record<Library, Dialect>> = {
  "zod 4": {
    imports: 'import { z } from "zod";',
    schema: (n) =>
      `z.object({ id${n}: z.string(), kind: z.enum(["a${n}", "b", "c"]), count: z.number().int().optional(), tags: z.array(z.string()), place: z.object({ street${n}: z.string(), zip: z.string().nullable() }) })`,
    inferred: (schema) => `z.infer<typeof ${schema}>`,
  },
  valibot: {
    imports: 'import { toStandardJsonSchema } from "@valibot/to-json-schema";\nimport * as v from "valibot";',
    schema: (n) =>
      `toStandardJsonSchema(v.object({ id${n}: v.string(), kind: v.picklist(["a${n}", "b", "c"]), count: v.optional(v.pipe(v.number(), v.integer())), tags: v.array(v.string()), place: v.object({ street${n}: v.string(), zip: v.nullable(v.string()) }) }))`,
    inferred: (schema) => `NonNullable<(typeof ${schema})["~standard"]["types"]>["output"]`,
  },
  arktype: {
    imports: 'import { type } from "arktype";',
    schema: (n) =>
      `type({ id${n}: "string", kind: "'a${n}' | 'b' | 'c'", "count?": "number.integer", tags: "string[]", place: { street${n}: "string", zip: "string | null" } })`,
    inferred: (schema) => `(typeof ${schema})["infer"]`,
  },
  "JSON Schema": {
    imports: "",
    schema: (n) =>
      `{ type: "object", properties: { id${n}: { type: "string" }, kind: { enum: ["a${n}", "b", "c"] }, count: { type: "integer" }, tags: { type: "array", items: { type: "string" } }, place: { type: "object", properties: { street${n}: { type: "string" }, zip: { type: ["string", "null"] } } } }, required: ["id${n}", "kind", "tags", "place"] }`,
    inferred: () => "unknown",
  },
};

const numbers = Array.from({ length: 50 }, (_, index) => index + 1);
const names = numbers.map((n) => `tool${n}`).join(", ");

export function fiftyTools(library: Library, manner: Manner): string {
  const { imports } = dialects[library];
  const tools = numbers.map((n) => (manner === "airworthy" ? wrapped(library, n) : plain(library, manner, n))).join("\n");
  return manner === "airworthy"
    ? `import { createAgent, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
${imports}
${tools}
const agent = createAgent({ name: "a", model: scriptedModel(["x"]), tools: { ${names} } });
export const answer = agent.run("go").then((result) => (result.status === "completed" ? result.output : result.status));
`
    : `${imports}
interface Context { callId: string; idempotencyKey: string; signal: AbortSignal }
interface Tool<Input = unknown, Output = unknown> {
  description: string;
  inputSchema: object;
  effect: "read" | "write" | "send" | "pay" | "destroy";
  execute(input: Input, context: Context): Promise<Output>;
}
type Result = { status: "completed"; output: string } | { status: "failed"; error: Error };
declare function run(agent: { name: string; tools: Record<string, Tool> }, text: string): Promise<Result>;
${tools}
export const answer = run({ name: "a", tools: { ${names} } }, "go").then((result) => (result.status === "completed" ? result.output : result.status));
`;
}

/** The schema stands where it is used, as one writes it; only inferring from it needs a name for it. */
const wrapped = (library: Library, n: number) =>
  `const tool${n} = tool({ inputSchema: ${dialects[library].schema(n)}, ${rest(library, n)} });`;

function plain(library: Library, manner: Manner, n: number): string {
  const { schema, inferred } = dialects[library];
  const byHand = `{ id${n}: string; kind: "a${n}" | "b" | "c"; count?: number | undefined; tags: string[]; place: { street${n}: string; zip: string | null } }`;
  const input = library === "JSON Schema" ? "unknown" : manner === "by hand" ? byHand : inferred(`schema${n}`);
  const named = manner === "inferred" ? `const schema${n} = ${schema(n)};\n` : "";
  return `${named}type Input${n} = ${input};
const tool${n}: Tool<Input${n}, { said: string; aborted: boolean }> = { inputSchema: ${named ? `schema${n}` : schema(n)}, ${rest(library, n)} };`;
}

/** The function reads every property, so that every part of the type is looked at. */
function rest(library: Library, n: number): string {
  const parts = [`input.id${n}`, "input.kind", "input.count ?? 0", "input.tags.join()", `input.place.street${n}`, 'input.place.zip ?? ""'];
  const said = library === "JSON Schema" ? "JSON.stringify(input)" : `\`${parts.map((part) => `\${${part}}`).join(" ")}\``;
  return `description: "Does ${n}.", effect: "read", execute: async (input, { signal }) => ({ said: ${said}, aborted: signal.aborted })`;
}
