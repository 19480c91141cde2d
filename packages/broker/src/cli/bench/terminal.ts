import type { Terminal } from "@puremq/tls13/bench"
import { visible } from "../../admin/visible.ts"
import { tell } from "../output.ts"

/** That of this process. */
export function ownTerminal(): Terminal {
  const { stdin: input, stdout: output, stderr } = process
  const status = (line: string): void => {
    // Some terminals say 0.
    const width = (stderr.columns || 80) - 1
    stderr.write(`\r\x1b[K${visible(line).slice(0, width)}`)
  }
  return { input, output, say: tell, ...(stderr.isTTY && { status }) }
}
