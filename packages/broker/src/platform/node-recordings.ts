// `dangerousRecording` of a listener: each connection that it takes, in a file of its own that `tls13 replay` runs again. ALL SECRETS
// of these connections are in the files, and all that clients send and get.

import { closeSync, mkdirSync, openSync, readdirSync, writeSync } from "node:fs"
import { join } from "node:path"
import type { ConnectionRecorder } from "@puremq/tls13/recording"
import { ConfigError, type RecordingSettings, recordingDefaults } from "../config/config.ts"

/**
 * @param listener its name, which files begin with
 * @param tell a sentence, of what is in no file; it is no reason for a connection to end
 * @throws ConfigError when the folder cannot be had
 */
export async function recorderInto(
  { directory: folder, files: most = recordingDefaults.files, bytes = recordingDefaults.bytes }: RecordingSettings,
  listener: string,
  tell: (text: string) => void,
): Promise<ConnectionRecorder> {
  const { createRecorder } = await import("@puremq/tls13/recording")
  // Those of earlier starts count, so that a broker that is started again and again fills no disk.
  const numbers = numbersIn(folder, listener)
  let [left, next] = [most - numbers.length, 1 + numbers.reduce((high, number) => Math.max(high, number), 0)]
  const full = `${folder} has as many recordings of the listener ${listener} as it may, ${most}: further connections are in none`
  if (left <= 0) tell(full)
  return createRecorder(
    () => {
      if (left <= 0) return undefined
      const file = opened(join(folder, `${listener}-${next++}.jsonl`), tell)
      if (--left === 0) tell(full)
      return file
    },
    { limit: bytes },
  )
}

/** Makes the folder, for this user alone, where there is none, and gives the numbers of the files that are there. */
function numbersIn(folder: string, listener: string): number[] {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return readdirSync(folder).flatMap((name) => {
      const number = name.startsWith(`${listener}-`) ? /^\d+(?=\.jsonl$)/.exec(name.slice(listener.length + 1)) : null
      return number === null ? [] : [Number(number[0])]
    })
  } catch (error) {
    throw new ConfigError(`no recordings can be written to ${folder}: ${reasonOf(error)}`)
  }
}

/** A file that is new, for this user alone; nothing more is written into it after the first failure. */
function opened(path: string, tell: (text: string) => void) {
  let descriptor: number | undefined
  const failed = (error: unknown) => {
    close()
    tell(`the recording ${path} cannot be written: ${reasonOf(error)}; what comes now is not in it`)
  }
  const close = () => {
    const open = descriptor
    descriptor = undefined
    if (open !== undefined) closeSync(open)
  }
  try {
    descriptor = openSync(path, "wx", 0o600)
  } catch (error) {
    failed(error)
    return undefined
  }
  return {
    write(text: string) {
      if (descriptor === undefined) return
      try {
        // All of it is ASCII.
        const bytes = Buffer.from(text, "latin1")
        for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
      } catch (error) {
        failed(error)
      }
    },
    close,
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
