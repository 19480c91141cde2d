// How to compute a node of the schedule again without this page: a few lines of JavaScript for Node.js, and a command of OpenSSL 3.

import { toHex } from "@puremq/tls13/explore"
import type { ScheduleNode } from "./schedule-node.ts"
import type { Hash } from "./suites.ts"

export interface Commands {
  /** Prints the value in hexadecimal: for `node`, or `node -e`. */
  readonly javascript: string
  /** Prints it as OpenSSL does: capital letters, and a colon between bytes. */
  readonly openssl: string
}

/** Undefined for what is not computed, or whose inputs are not known. */
export function commandsOf(node: ScheduleNode, hash: Hash): Commands | undefined {
  if (node.kind === "extract" && node.saltValue && node.ikmValue) {
    const [salt, ikm] = [toHex(node.saltValue), toHex(node.ikmValue)]
    return {
      javascript: lines(
        'const { createHmac } = require("node:crypto")',
        `const salt = Buffer.from("${salt}", "hex")`,
        `const ikm = Buffer.from("${ikm}", "hex")`,
        `console.log(createHmac("${hash.name}", salt).update(ikm).digest("hex"))`,
      ),
      openssl: opensslKdf(hash.length, hash, "EXTRACT_ONLY", { hexkey: ikm, hexsalt: salt }),
    }
  }
  if (node.kind === "expand" && node.secretValue && node.hkdfLabel) {
    const [secret, info] = [toHex(node.secretValue), toHex(node.hkdfLabel)]
    return {
      javascript: lines(
        'const { createHmac } = require("node:crypto")',
        `const secret = Buffer.from("${secret}", "hex")`,
        `const hkdfLabel = Buffer.from("${info}", "hex")`,
        // No value of the schedule is longer than the hash: HKDF-Expand is one block, of the counter 1.
        `const block = createHmac("${hash.name}", secret).update(hkdfLabel).update(Buffer.of(1)).digest()`,
        `console.log(block.subarray(0, ${node.length}).toString("hex"))`,
      ),
      openssl: opensslKdf(node.length, hash, "EXPAND_ONLY", { hexkey: secret, hexinfo: info }),
    }
  }
  return undefined
}

function opensslKdf(
  length: number,
  hash: Hash,
  mode: "EXTRACT_ONLY" | "EXPAND_ONLY",
  values: Readonly<Record<string, string>>,
): string {
  const options = [`mode:${mode}`, `digest:${hash.name.toUpperCase()}`]
  for (const [name, value] of Object.entries(values)) options.push(`${name}:${value}`)
  return [`openssl kdf -keylen ${length}`, ...options.map((option) => `  -kdfopt ${option}`), "  HKDF"].join(" \\\n")
}

function lines(...all: readonly string[]): string {
  return all.join("\n")
}
