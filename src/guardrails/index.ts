// The ready-made guardrails: the subpath airworthy/guardrails.
export { type NormalizedOptions, normalized } from "./normalized.ts";
export { outputSchema } from "./output-schema.ts";
