import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { Task } from "./child.ts"

export interface Peer {
  readonly port: number
  memory(): Promise<{ heap: number; buffers: number }>
  stop(): void
}

export async function startPeer(task: Task): Promise<Peer> {
  const child: ChildProcess = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [], {
    env: { ...process.env, PUREMQ_BENCH_TASK: JSON.stringify(task) },
    execArgv: ["--expose-gc"],
  })
  const [started] = (await once(child, "message")) as [{ port: number }]
  return {
    port: started.port,
    async memory() {
      child.send("memory")
      const [answer] = (await once(child, "message")) as [{ heap: number; buffers: number }]
      return answer
    },
    stop: () => void child.disconnect(),
  }
}
