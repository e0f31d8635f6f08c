import { createHash, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

interface Person {
  sub: string;
  email: string;
  name: string;
}

/** An OpenID Connect provider on a port of this machine: whoever comes is signed in at once, as the person that the test has said. */
export class Provider {
  person: Person = { sub: "1", email: "somebody@acme.example", name: "Some Body" };
  /** Whoever comes presses "cancel". */
  cancels = false;
  private readonly key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  private readonly codes = new Map<string, { nonce: string; client: string; challenge: string; person: Person }>();

  private constructor(
    readonly url: string,
    private readonly http: HttpServer,
  ) {}

  static async start(): Promise<Provider> {
    const http = createServer();
    await new Promise<void>((r) => http.listen(0, "127.0.0.1", r));
    const provider = new Provider(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, http);
    http.on("request", async (q, s) => {
      const { status = 200, location, body } = await provider.answer(q);
      s.writeHead(status, location ? { location } : { "content-type": "application/json" }).end(body && JSON.stringify(body));
    });
    return provider;
  }

  stop = (): Promise<unknown> => new Promise((r) => this.http.close(r));

  /** What makes a server offer this provider as Acme. */
  get env(): Record<string, string> {
    return {
      TENON_OIDC_PROVIDERS: "acme",
      TENON_OIDC_ACME_LABEL: "Acme",
      TENON_OIDC_ACME_ISSUER: this.url,
      TENON_OIDC_ACME_CLIENT_ID: "tenon",
      TENON_OIDC_ACME_CLIENT_SECRET: "a secret of the client: only for tests",
    };
  }

  private async answer(q: IncomingMessage): Promise<{ status?: number; location?: string; body?: unknown }> {
    const url = new URL(q.url ?? "/", this.url);
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return { body: this.configuration() };
      case "/keys":
        return { body: { keys: [{ ...this.key.publicKey.export({ format: "jwk" }), kid: "1", alg: "RS256", use: "sig" }] } };
      case "/authorize":
        return { status: 302, location: this.authorize(url.searchParams) };
      case "/token":
        return this.exchange(new URLSearchParams(await text(q)));
    }
    return { status: 404, body: {} };
  }

  private configuration() {
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/keys`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
      code_challenge_methods_supported: ["S256"],
    };
  }

  private authorize(asked: URLSearchParams): string {
    const back = new URL(asked.get("redirect_uri") ?? "");
    back.searchParams.set("state", asked.get("state") ?? "");
    if (this.cancels) {
      back.searchParams.set("error", "access_denied");
      return back.href;
    }
    const code = randomUUID();
    this.codes.set(code, {
      nonce: asked.get("nonce") ?? "",
      client: asked.get("client_id") ?? "",
      challenge: asked.get("code_challenge") ?? "",
      person: this.person,
    });
    back.searchParams.set("code", code);
    return back.href;
  }

  private exchange(form: URLSearchParams) {
    const asked = this.codes.get(form.get("code") ?? "");
    const proof = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (!asked || proof !== asked.challenge) return { status: 400, body: { error: "invalid_grant" } };
    this.codes.delete(form.get("code") ?? "");
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.url, aud: asked.client, iat: now, exp: now + 300, nonce: asked.nonce, email_verified: true, ...asked.person };
    return { body: { access_token: randomUUID(), token_type: "Bearer", expires_in: 300, id_token: this.sign(claims) } };
  }

  private sign(claims: unknown): string {
    const part = (v: unknown) => Buffer.from(JSON.stringify(v)).toString("base64url");
    const signed = `${part({ alg: "RS256", kid: "1", typ: "JWT" })}.${part(claims)}`;
    return `${signed}.${createSign("RSA-SHA256").update(signed).sign(this.key.privateKey, "base64url")}`;
  }
}

async function text(q: IncomingMessage): Promise<string> {
  let all = "";
  for await (const chunk of q) all += chunk;
  return all;
}
