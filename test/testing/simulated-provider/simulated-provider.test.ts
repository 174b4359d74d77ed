// The simulated provider as a server: which reply a request gets, what it does not understand, and nothing left behind after close().
import { describe, expect, test } from "vitest";
import { type SimulatedProvider, simulatedProvider } from "../../../src/testing/index.ts";

const question = { model: "gpt-test", messages: [{ role: "user", content: "Where is my order?" }] };

function post(provider: SimulatedProvider, body: object = question, more: RequestInit = {}): Promise<Response> {
  return fetch(`${provider.baseURL}/chat/completions`, { method: "POST", body: JSON.stringify(body), ...more });
}

async function jsonOf(response: Response): Promise<unknown> {
  return await response.json();
}

describe("what is answered", () => {
  test("follows the scenario until it has run out", async () => {
    await using provider = await simulatedProvider({ scenario: [{ fault: "server-error" }, { text: "x" }] });
    const statuses = [];
    for (let request = 0; request < 3; request++) statuses.push((await post(provider)).status);
    expect(statuses).toEqual([500, 200, 500]);
    expect(await jsonOf(await post(provider))).toMatchObject({ error: { message: expect.stringContaining("run out after 2 replies") } });
    expect(provider.requests.map(({ reply, status }) => ({ fault: reply?.fault, status }))).toEqual([
      { fault: "server-error", status: 500 },
      { fault: undefined, status: 200 },
      { fault: undefined, status: 500 },
      { fault: undefined, status: 500 },
    ]);
  });

  test("is the first rule that holds", async () => {
    await using provider = await simulatedProvider({
      rules: [
        { when: ({ messages }) => messages?.at(-1)?.role === "tool", reply: { text: "Found." } },
        { when: ({ model }) => model === "gpt-test", reply: { calls: [{ name: "findOrder", arguments: {} }] } },
      ],
    });
    expect(await (await post(provider)).text()).toContain("findOrder");
    expect(await (await post(provider, { messages: [{ role: "tool", content: "" }] })).text()).toContain("Found.");
    expect(await jsonOf(await post(provider, { messages: [] }))).toMatchObject({ error: { message: "No rule matches the request." } });
  });

  test("is up to a function of the request", async () => {
    await using provider = await simulatedProvider({ rules: ({ index, headers }) => ({ text: `${index} ${String(headers["x-team"])}` }) });
    await post(provider);
    expect(await (await post(provider, question, { headers: { "x-team": "support" } })).text()).toContain("1 support");
  });

  test("is an error when the rules throw", async () => {
    const rules = () => {
      throw new Error("my mistake");
    };
    await using provider = await simulatedProvider({ rules });
    expect(await jsonOf(await post(provider))).toMatchObject({ error: { message: expect.stringContaining("my mistake") } });
  });

  test.for([
    { what: "another path", path: "/v1/models", body: "{}", status: 404 },
    { what: "a path without the version", path: "/messages", body: '{"messages": []}', status: 404 },
    { what: "no JSON", path: "/v1/chat/completions", body: "{", status: 400 },
    { what: "a list", path: "/v1/messages", body: "[]", status: 400 },
    { what: "no messages", path: "/v1/chat/completions", body: "{}", status: 400 },
    { what: "messages that are no list", path: "/v1/messages", body: '{"messages": {}}', status: 400 },
    { what: "no input", path: "/v1/responses", body: '{"messages": []}', status: 400 },
  ])("is an error for $what", async ({ path, body, status }) => {
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    const response = await fetch(provider.url + path, { method: "POST", body });
    expect(response.status).toBe(status);
    expect(await jsonOf(response)).toMatchObject({
      error: { message: expect.stringMatching(/There is only POST|is not a JSON object with/) },
    });
    expect(provider.count).toBe(0);
  });

  test("takes no other method, and a path with a query", async () => {
    await using provider = await simulatedProvider({ rules: () => ({ text: "x" }) });
    expect((await fetch(`${provider.url}/v1/messages`)).status).toBe(404);
    expect((await fetch(`${provider.url}/v1/messages?beta=true`, { method: "POST", body: '{"messages": []}' })).status).toBe(200);
  });

  test("has to be given", async () => {
    await expect(simulatedProvider(JSON.parse("{}"))).rejects.toMatchObject({ code: "configuration_invalid" });
  });
});

describe("close", () => {
  test("cuts what is open, leaves nothing behind and may be called twice", async () => {
    const provider = await simulatedProvider({ scenario: [{ fault: "stall", text: "abc" }] });
    const response = await post(provider, { ...question, stream: true });
    const order: string[] = [];
    const over = provider.requests[0]?.ended.then(() => order.push("answer over"));
    await Promise.all([provider.close(), provider.close()]);
    order.push("closed");
    await over;
    expect(order).toEqual(["answer over", "closed"]);
    await provider.close();
    await expect(response.text()).rejects.toThrow(TypeError);
    await expect(post(provider)).rejects.toThrow(TypeError);
    expect(provider.requests[0]?.disconnected).toBe(false);
  });
});
