// docs/fault-table.md is the table that test/conformance holds every adapter to, written out. After a change: npx vitest run test/docs/fault-table.test.ts -u
import { type Fault, type FaultEnd, faultTable } from "airworthy/testing";
import { expect, test } from "vitest";

const intro = `# What becomes of a fault

For every fault of a provider: how many requests an agent with two attempts sends, what the failed attempt is called, whether that is tried
again, and what the run comes to. Every row is measured over real HTTP, through the real SDKs, with each adapter there is, by
[\`modelConformance\`](guides/testing.md#an-adapter-of-your-own). The codes: [errors.md](errors.md).

This page is written by a test from the table \`faultTable\` of \`airworthy/testing\`.

| Fault | Asked as | Requests | Code | Retryable | The run | Where |
| --- | --- | --- | --- | --- | --- | --- |
`;

function rowsOf(fault: Fault): readonly string[] {
  const { whole, streamed } = fault;
  if (!streamed) return [rowOf(fault, "either", whole)];
  return [rowOf(fault, "JSON", whole), rowOf(fault, "stream", streamed, fault.alsoFine)];
}

function rowOf({ name, only }: Fault, way: string, { requests, code, retryable, status, error }: FaultEnd, alsoFine?: string) {
  const codes = [code, alsoFine].filter((one) => one !== undefined).map((one) => `\`${one}\``);
  const end = error ? `${status}: \`${error}\`` : status;
  const cells = [name, way, requests, codes.join(" or ") || "none", retryable ? "yes" : "no", end, only ?? "everywhere"];
  return `| ${cells.join(" | ")} |`;
}

test("the page says what conformance asks of every adapter", async () => {
  await expect(`${intro}${faultTable.flatMap(rowsOf).join("\n")}\n`).toMatchFileSnapshot("../../docs/fault-table.md");
});
