import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTenon, data, type Tenon } from "@tenon/client";

/** A letter as the mail box of a developer shows it. */
export interface Letter {
  to: string;
  subject: string;
  text: string;
  links: string[];
  created_at: string;
}

/** The real binary, on a database of its own. */
export class Server {
  private constructor(
    readonly url: string,
    readonly port: number,
    readonly setupLink: string,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(env: Record<string, string> = {}, program = "tenon"): Promise<Server> {
    const binary = join(process.env.TENON_E2E_BIN ?? "", program);
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "tenon-e2e-"));
    const child = spawn(binary, ["serve", "--addr", `127.0.0.1:${port}`, "--data", folder], {
      env: { ...process.env, TENON_PUBLIC_URL: `http://localhost:${port}`, TENON_RATELIMIT: "off", ...env },
    });
    let printed = "";
    child.stdout.on("data", (b) => {
      printed += b;
    });
    child.stderr.on("data", (b) => {
      printed += b;
    });
    const url = env.TENON_PUBLIC_URL ?? `http://localhost:${port}`;
    for (let i = 0; i < 200; i++) {
      if (child.exitCode !== null) throw new Error(printed);
      const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).then(
        (r) => r.ok,
        () => false,
      );
      if (ready && /\/setup\?token=/.test(printed)) return new Server(url, port, (printed.match(/http\S*\/setup\?token=[\w-]+/) ?? [""])[0], child, folder);
      await new Promise((r) => setTimeout(r, 50));
    }
    throw new Error(`the server did not start:\n${printed}`);
  }

  async stop(): Promise<void> {
    const gone = new Promise((r) => this.process.once("exit", r));
    this.process.kill("SIGTERM");
    await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }

  client(token?: string): Tenon {
    return createTenon({ baseUrl: this.url, token });
  }

  /** What was mailed to somebody, newest first. Waits for the first letter that is like it. */
  async mail(to: string, like: RegExp = /./): Promise<Letter> {
    for (let i = 0; i < 100; i++) {
      const all = (await fetch(`http://127.0.0.1:${this.port}/_dev/mail/messages`).then((r) => r.json())) as { items: Letter[] };
      const found = all.items.find((m) => m.to === to && like.test(m.subject));
      if (found) return found;
      await new Promise((r) => setTimeout(r, 100));
    }
    throw new Error(`nothing like ${like} was mailed to ${to}`);
  }

  /** Makes an account by the API, and signs it in. */
  async person(email: string, name: string, password = PASSWORD): Promise<{ email: string; name: string; password: string; api: Tenon }> {
    const anybody = this.client();
    await anybody.POST("/api/v1/auth/register", { body: { email, name, password } });
    const link = (await this.mail(email)).links[0] ?? "";
    await anybody.POST("/api/v1/auth/verify-email", { body: { token: new URL(link).searchParams.get("token") ?? "" } });
    const tokens = await data(anybody.POST("/api/v1/auth/login", { body: { email, password } }));
    return { email, name, password, api: this.client(tokens.access_token) };
  }
}

export const PASSWORD = "a quiet harbour at dawn 47";

async function freePort(): Promise<number> {
  const s = createServer();
  await new Promise<void>((r) => s.listen(0, "127.0.0.1", r));
  const { port } = s.address() as { port: number };
  await new Promise((r) => s.close(r));
  return port;
}

/** The code that an authenticator app shows (RFC 6238), `steps` half minutes from now. */
export function totp(secret: string, steps = 0): string {
  const bits = [...secret.replace(/[\s=]/g, "").toUpperCase()].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((b) => Number.parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const hash = createHmac("sha1", key).update(counter).digest();
  const at = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}
