type Options = { publicKey?: unknown } | unknown;

const publicKeyOf = (options: Options) => ((options as { publicKey?: unknown }).publicKey ?? options) as never;

/** Whether this browser knows passkeys, with the JSON forms of WebAuthn level 3. */
export const canPasskey = (): boolean =>
  typeof PublicKeyCredential === "function" &&
  typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function" &&
  typeof PublicKeyCredential.prototype.toJSON === "function";

/** Has the browser make a passkey; the answer as the API takes it. */
export async function createPasskey(options: Options): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(publicKeyOf(options));
  return json(await navigator.credentials.create({ publicKey }));
}

/** Has the browser use a passkey. Conditional, it offers them in the autofill of a field until aborted. */
export async function getPasskey(options: Options, how: { conditional?: boolean; signal?: AbortSignal } = {}): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(publicKeyOf(options));
  return json(await navigator.credentials.get({ publicKey, signal: how.signal, mediation: how.conditional ? "conditional" : undefined }));
}

const json = (credential: Credential | null): unknown => {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("no passkey", "NotAllowedError");
  return credential.toJSON();
};

/** Whether the reader closed the browser's dialog, rather than that something failed. */
export const dismissed = (e: unknown): boolean => e instanceof DOMException && (e.name === "NotAllowedError" || e.name === "AbortError");
