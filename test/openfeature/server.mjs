// Evaluates flags with OpenFeature's stock server-side SDK and OFREP provider, and prints
// what it gets: node server.mjs <base URL> <bearer token> <targeting key> <cases as JSON>.
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OpenFeature } from "@openfeature/server-sdk";

const [baseUrl, token, targetingKey, cases] = process.argv.slice(2);
await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl, headers: [["Authorization", `Bearer ${token}`]] }));
const client = OpenFeature.getClient();
const context = targetingKey ? { targetingKey, country: "AT" } : { country: "AT" };
const ask = {
  boolean: (key, fallback) => client.getBooleanDetails(key, fallback, context),
  string: (key, fallback) => client.getStringDetails(key, fallback, context),
  number: (key, fallback) => client.getNumberDetails(key, fallback, context),
  object: (key, fallback) => client.getObjectDetails(key, fallback, context),
};
const got = {};
for (const { key, type, fallback } of JSON.parse(cases)) {
  const { value, variant, reason, errorCode } = await ask[type](key, fallback);
  got[key] = { value, variant, reason, errorCode };
}
await OpenFeature.close();
console.log(JSON.stringify(got));
