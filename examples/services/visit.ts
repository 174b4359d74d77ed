// A visit to a service over HTTP, as a client makes it: turned away, answered, and listening while the service is told to shut down.
import assert from "node:assert/strict";

const answer = "Your order is on its way to you. It arrives on Monday.";

/** With --serve on the command line the service is left to others; else it is visited once, and shut down in the middle of an answer. */
export async function visit(url: string) {
  console.log(`Listening on ${url}`);
  if (process.argv.includes("--serve")) return;

  const stranger = await ask(url, {}, { authorization: "" });
  assert.equal(stranger.status, 401);

  const whole = await ask(url, { runId: "visit-1" });
  const result: { status: string; output: string } = JSON.parse(await whole.text());
  assert.deepEqual([whole.status, result.status, result.output], [200, "completed", answer]);

  const stream = await ask(url, { runId: "visit-2" }, { accept: "text/event-stream" });
  let text = "";
  for await (const { event, data } of eventsOf(stream)) {
    if (event === "text.delta" && text === "") process.kill(process.pid, "SIGTERM");
    if (event === "text.delta") text += data["text"];
    if (event === "result") assert.equal(data["output"], answer);
  }
  assert.equal(text, answer, "the answer arrives, although the service is shutting down");
  console.log(text);
}

const ask = (url: string, body: object, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: "POST",
    headers: { authorization: "Bearer token-of-ann", "content-type": "application/json", ...headers },
    body: JSON.stringify({ input: "Where is order 4711?", ...body }),
  });

interface Sent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a browser's EventSource does; that one can only GET. Ready-made: the packages eventsource-parser and fetch-event-source. */
async function* eventsOf({ body }: Response): AsyncGenerator<Sent> {
  let rest = "";
  for await (const piece of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const frames = (rest + piece).split("\n\n");
    rest = frames.pop() ?? "";
    for (const frame of frames) {
      const fields = new Map(frame.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]));
      const data = fields.get("data");
      if (data) yield { event: fields.get("event") ?? "message", data: JSON.parse(data) };
    }
  }
}
