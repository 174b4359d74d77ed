module.exports = {
  forbidden: [
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "core-is-innermost",
      severity: "error",
      from: { path: "^src/core" },
      to: { path: "^src/(resilience|telemetry|providers|cli|testing)" },
    },
    {
      name: "core-no-sdk",
      severity: "error",
      from: { path: "^src/core" },
      to: { path: "node_modules/(openai|@anthropic-ai|opossum|p-retry|@opentelemetry)" },
    },
    { name: "no-orphans", severity: "warn", from: { orphan: true, pathNot: "\\.d\\.ts$" }, to: {} },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
