// Does as server.mjs, with OpenFeature's stock web SDK and OFREP provider, which evaluates
// all flags at once; then it asks again, and prints each status of the server too.
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature } from "@openfeature/web-sdk";

const [baseUrl, token, targetingKey, cases] = process.argv.slice(2);
const statuses = [];
const fetchImplementation = async (...request) => {
  const response = await fetch(...request);
  statuses.push(response.status);
  return response;
};
const context = targetingKey ? { targetingKey, country: "AT" } : { country: "AT" };
await OpenFeature.setContext(context);
await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl, headers: [["Authorization", `Bearer ${token}`]], fetchImplementation, pollInterval: 50, cacheMode: "disabled" }));
const client = OpenFeature.getClient();
const ask = {
  boolean: (key, fallback) => client.getBooleanDetails(key, fallback),
  string: (key, fallback) => client.getStringDetails(key, fallback),
  number: (key, fallback) => client.getNumberDetails(key, fallback),
  object: (key, fallback) => client.getObjectDetails(key, fallback),
};
const got = {};
for (const { key, type, fallback } of JSON.parse(cases)) {
  const { value, variant, reason, errorCode } = ask[type](key, fallback);
  got[key] = { value, variant, reason, errorCode };
}
while (statuses.length < 3) await new Promise((resolve) => setTimeout(resolve, 20)); // polled twice more
await OpenFeature.close();
console.log(JSON.stringify({ flags: got, statuses: statuses.slice(0, 3) }));
