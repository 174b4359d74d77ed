// What OpenAI cannot take of an offer. Invariant: it is found before a run, and named.
import { AgentError } from "../../core/errors.ts";
import type { ModelOffer, ModelSettings } from "../../core/model.ts";
import { checkSchema } from "./offered-schema.ts";

export type OpenAIApi = "chat" | "responses";

const namePattern = /^[\w-]{1,64}$/;

/** For `Model.check`. Throws `configuration_invalid` naming the tool, the setting or the schema. */
export function checkOffer(api: OpenAIApi, { tools, settings, output }: ModelOffer): void {
  checkSettings(api, settings);
  for (const { name, inputSchema } of tools) {
    if (!namePattern.test(name)) {
      throw new AgentError("configuration_invalid", `The tool ${JSON.stringify(name)} cannot be sent to openai() under this name.`, {
        hint: "Use at most 64 letters without accents, digits, underscores and dashes.",
      });
    }
    checkSchema(inputSchema, `The tool "${name}"`);
  }
  if (output) checkSchema(output.schema, "The output");
}

const missing: Readonly<Record<OpenAIApi, readonly (keyof ModelSettings)[]>> = { chat: [], responses: ["seed", "stop"] };

/** Throws `configuration_invalid` for a setting the API does not have. */
export function checkSettings(api: OpenAIApi, settings: ModelSettings): void {
  const found = missing[api].find((name) => settings[name] !== undefined);
  if (!found) return;
  throw new AgentError(
    "configuration_invalid",
    `The setting "${found}" cannot be sent by openai() with api: "${api}", which has no such thing.`,
    {
      hint: `Leave it out, use api: "chat", or give it as \`settings\` of the one model that takes it.`,
    },
  );
}
