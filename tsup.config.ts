// What is built: one bundle per export of package.json. ESM only; shared code goes into chunks, so that AgentError exists once.
import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    openai: "src/providers/openai/openai.ts",
    anthropic: "src/providers/anthropic/anthropic.ts",
    guardrails: "src/guardrails/index.ts",
    http: "src/http/index.ts",
    postgres: "src/journal/postgres.ts",
    sqlite: "src/journal/sqlite.ts",
    testing: "src/testing/index.ts",
    tokens: "src/policy/tokens.ts",
    airworthy: "src/cli/airworthy.ts",
  },
  format: ["esm"],
  platform: "node",
  target: "node22",
  dts: true,
  sourcemap: true,
  splitting: true,
  clean: true,
});
