// README.md is what people see first: its quickstart is a file that runs, and its two commands stand where they can be copied.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { blocksOf, readPage, root } from "./pages.ts";

const page = readPage("README.md");
const blocks = blocksOf(page);

describe("README.md", () => {
  test("shows examples/quickstart.ts as it is, in no more than 30 lines", () => {
    const quickstart = readFileSync(resolve(root, "examples/quickstart.ts"), "utf8");
    expect(blocks.find(({ info }) => info === "ts run")?.code).toBe(quickstart);
    expect(quickstart.trimEnd().split("\n").length).toBeLessThanOrEqual(30);
  });

  test.each(["npm ci && npm start", "npm ci && npm test"])("has %s alone in a block", (command) => {
    expect(blocks.filter(({ code }) => code === `${command}\n`)).toHaveLength(1);
  });

  test("names what package.json asks for", () => {
    expect(page.text).toContain(`Node ${manifest.engines.node.replace(">=", "")} or newer`);
    for (const peer of Object.keys(manifest.peerDependencies)) expect(page.text).toContain(`\`${peer}\``);
    expect(manifest.peerDependencies.zod).toBe("^4.2.0"); // What README.md says of zod.
    expect(page.text).toContain(`version ${manifest.version}`);
  });

  test("adds up", () => {
    const words = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    const areas = [...page.text.matchAll(/^\| .*\((\w+) of (\w+)(?:, (\w+) in part)?\) \|/gm)].map((match) =>
      match.slice(1).map((word) => Math.max(0, words.indexOf(word ?? ""))),
    );
    const sum = (position: number) => areas.reduce((total, counts) => total + (counts[position] ?? 0), 0);
    expect([sum(1), sum(0), sum(2), sum(1) - sum(0) - sum(2)]).toEqual([71, 18, 16, 37]);
    expect(page.text).toContain("seventy-one features. Eighteen are there, sixteen in part, thirty-seven are not.");
  });
});
