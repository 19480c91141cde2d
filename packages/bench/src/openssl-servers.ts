// Servers that are OpenSSL and no JavaScript, for handshakes: openssl s_server, and nginx where it is installed.

import { type ChildProcess, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Pems } from "./contestants.ts"
import { endedWithUs } from "./ending.ts"
import { busyTime, freePort, hasStarted, listens } from "./programs.ts"

export const foreignServers = {
  openssl: "openssl s_server",
  nginx: "nginx (OpenSSL)",
} as const
export type ForeignServer = keyof typeof foreignServers
export const foreignServerNames = Object.keys(foreignServers) as ForeignServer[]

export interface Running {
  readonly port: number
  readonly pid: number
  /** Milliseconds of processor time until now. */
  busy(): number
  stop(): void
}

/** Undefined when it is not installed, or does not start. */
export async function startForeignServer(which: ForeignServer, pems: Pems): Promise<Running | undefined> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text, { mode: 0o600 })
    return join(directory, name)
  }
  const [cert, key] = [file("cert.pem", pems.cert), file("key.pem", pems.key)]
  const configuration = () => file("nginx.conf", nginxConfiguration({ port, cert, key, directory }))
  const [program, args] =
    which === "openssl"
      ? ([
          "openssl",
          ["s_server", "-accept", `127.0.0.1:${port}`, "-cert", cert, "-key", key, "-tls1_3", "-www"],
        ] as const)
      : (["nginx", ["-p", directory, "-c", configuration(), "-e", "stderr"]] as const)
  const child: ChildProcess = spawn(program, args, { stdio: "ignore" })
  const stop = endedWithUs(() => {
    child.kill("SIGKILL")
    rmSync(directory, { recursive: true, force: true })
  })
  if (!(await hasStarted(child)) || !(await listens(child, port))) {
    stop()
    return undefined
  }
  return { port, pid: child.pid!, busy: () => busyTime(child.pid!), stop }
}

/** One process, so that its processor time is that of one; what it serves is nothing. */
function nginxConfiguration(at: Readonly<Record<"port" | "cert" | "key" | "directory", string | number>>): string {
  return `daemon off; master_process off; pid ${at.directory}/pid; error_log stderr crit;
${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${at.directory}; proxy_temp_path ${at.directory}; fastcgi_temp_path ${at.directory};
  uwsgi_temp_path ${at.directory}; scgi_temp_path ${at.directory};
  server {
    listen 127.0.0.1:${at.port} ssl;
    ssl_certificate ${at.cert}; ssl_certificate_key ${at.key}; ssl_protocols TLSv1.3;
    location / { return 204; }
  }
}
`
}
