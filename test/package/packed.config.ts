// How the packed package is checked: apart from the suite, for it needs what is built, and npm a registry to install from.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/package/packed.check.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
