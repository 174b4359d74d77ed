// The answer has to be JSON of a given shape. Broken JSON is repaired by a library; a wrong shape is given back to the model once.
import { jsonrepair } from "jsonrepair";
import type { Guardrail, Verdict } from "../core/guardrail.ts";
import { type AnySchema, type CompiledSchema, compileSchema } from "../core/schema.ts";

/** An output guardrail. `schema` is a Standard Schema, a JSON Schema, or one that is compiled already. Throws `configuration_invalid`. */
export function outputSchema(schema: AnySchema | CompiledSchema): Guardrail {
  const compiled = isCompiled(schema) ? schema : compileSchema(schema, "outputSchema");
  return {
    name: "output-schema",
    check: async ({ text }) => {
      const json = jsonIn(text);
      if (!json) return mismatch("The answer is not JSON.");
      const valid = await compiled.validate(json.value);
      if (!valid.ok) return mismatch(valid.issues.slice(0, 10).join("; "));
      return json.text === text ? { verdict: "pass" } : { verdict: "rewrite", text: json.text, findings: [{ kind: "json-repaired" }] };
    },
  };
}

const isCompiled = (schema: AnySchema | CompiledSchema): schema is CompiledSchema =>
  "validate" in schema && typeof schema.validate === "function" && "jsonSchema" in schema;

// What is wrong is for the model only: it can quote the answer, which nobody else may see yet.
const mismatch = (issues: string): Verdict => ({
  verdict: "block",
  code: "output_mismatch",
  message: "The answer does not have the asked shape.",
  reask: `Your answer does not have the asked shape: ${issues}\nAnswer again with nothing but JSON of the asked shape.`,
});

interface ParsedText {
  readonly text: string;
  readonly value: unknown;
}

/** The JSON of an answer: as it is, out of a code fence, or mended. */
function jsonIn(text: string): ParsedText | undefined {
  const bare = unfenced(text.trim());
  const whole = parsed(text) ?? parsed(bare);
  // Prose would be "repaired" into a string: only what sets out to be JSON is mended.
  if (whole || !(bare.startsWith("{") || bare.startsWith("["))) return whole;
  try {
    return parsed(jsonrepair(bare));
  } catch {
    return undefined;
  }
}

// By position and not by pattern: a model's text may be of any length and shape.
function unfenced(text: string): string {
  if (!text.startsWith("```") || !text.endsWith("```")) return text;
  const start = text.indexOf("\n");
  const label = text.slice(3, start).trim();
  return start < 0 || (label !== "" && label !== "json") ? text : text.slice(start + 1, -3).trim();
}

function parsed(text: string): ParsedText | undefined {
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
