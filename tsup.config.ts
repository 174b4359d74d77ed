import { defineConfig } from "tsup";
export default defineConfig({
  entry: {
    index: "src/index.ts",
    resilience: "src/resilience/index.ts",
    telemetry: "src/telemetry/index.ts",
    "telemetry/node": "src/telemetry/node.ts",
    openai: "src/providers/openai.ts",
    anthropic: "src/providers/anthropic.ts",
    testing: "src/testing/index.ts",
    cli: "src/cli/main.ts",
  },
  format: ["esm"],
  platform: "node",
  target: "node22",
  sourcemap: true,
  clean: true,
  dts: true,
  splitting: true,
  treeshake: false,
});
