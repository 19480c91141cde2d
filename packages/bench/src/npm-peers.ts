// Packages from npm that are no dependencies of this one: installed on demand under .peers/, which git ignores.

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { progress } from "./progress.ts"

const peers = fileURLToPath(new URL("../../../.peers", import.meta.url))

/**
 * Installs into a folder of its own, as two versions of a package do not fit into one, unless `wanted` is there.
 * @param packages with exact versions. @param wanted a file within node_modules
 * @returns its path. @throws when they cannot be installed
 */
export function installPeers(folderName: string, packages: readonly string[], wanted: string): string {
  const folder = join(peers, folderName)
  const path = join(folder, "node_modules", wanted)
  if (existsSync(path)) return path
  progress(`installing ${packages.join(", ")} under .peers/`)
  mkdirSync(folder, { recursive: true })
  const { status, stderr } = spawnSync(
    "npm",
    ["install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", ...packages],
    { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] },
  )
  if (status === 0 && existsSync(path)) return path
  throw new Error(`${packages.join(", ")} could not be installed: ${stderr?.split("\n")[0] ?? "there is no npm"}`)
}
