// How the tests run: every *.test.ts below test/, against the sources (what `airworthy` means here is said by package.json's exports).
import { defineConfig } from "vitest/config";

const conditions = ["airworthy-source", "node"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default"],
    globalSetup: ["test/postgres/on-demand.ts"],
    coverage: {
      provider: "v8",
      include: ["src/**"],
      reporter: ["text", "json-summary"],
    },
  },
});
