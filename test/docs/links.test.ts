// Every relative link of the documentation leads to a file that is there, and to a heading that is there.
import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { anchorsOf, type Page, pages, proseOf, readPage, root } from "./pages.ts";

const linksOf = (page: Page) =>
  [...proseOf(page).matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(({ 1: target = "" }) => target).filter((target) => !/^[a-z]+:/.test(target));

describe.each(pages)("$path", (page) => {
  test("has no link that leads nowhere", () => {
    const broken = linksOf(page).filter((target) => {
      const [file = "", anchor] = target.split("#");
      const path = file === "" ? page.path : relative(root, resolve(root, dirname(page.path), file));
      if (!existsSync(resolve(root, path))) return true;
      return anchor !== undefined && !anchorsOf(readPage(path)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

test("every page is linked from another", () => {
  const linked = new Set(
    pages.flatMap((page) =>
      linksOf(page).map((target) => relative(root, resolve(root, dirname(page.path), target.split("#")[0] ?? "")).replaceAll("\\", "/")),
    ),
  );
  expect(pages.map(({ path }) => path).filter((path) => path !== "README.md" && !linked.has(path))).toEqual([]);
});
