// The machine that figures were taken on, as whoever reads them later has to know it.

import { arch, availableParallelism, cpus, hostname, loadavg, release, totalmem, type } from "node:os"
import type { Machine } from "../../measure/report.ts"
import { cpusAllowed, textOf } from "./processes.ts"

export function describeMachine(): Machine {
  const all = cpus()
  const load = loadavg()[0]
  return {
    host: hostname(),
    system: systemName(),
    kernel: `${type()} ${release()}`,
    architecture: arch(),
    cpu: all[0]?.model.trim() || "unknown",
    cpus: all.length || availableParallelism(),
    cpusAllowed: cpusAllowed("self"),
    cpuQuota: quotaOf(textOf("/sys/fs/cgroup/cpu.max")),
    governor: governorOf(all.length),
    turbo: turbo(),
    virtual: virtual(),
    memoryBytes: totalmem(),
    runtime: `Node.js ${process.version}, V8 ${process.versions.v8}, OpenSSL ${process.versions.openssl}`,
    loadBefore: process.platform === "win32" || load === undefined ? null : load,
  }
}

function systemName(): string {
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(textOf("/etc/os-release") ?? "")?.[1]
  return name ?? process.platform
}

/** `max 100000` has none; `150000 100000` is 1.5 CPUs. */
export function quotaOf(text: string | undefined): number | null {
  const [, quota, period] = /^(\d+) (\d+)/.exec(text ?? "") ?? []
  return quota === undefined ? null : Number(quota) / Number(period)
}

function governorOf(count: number): string | null {
  const names = Array.from({ length: count }, (_, cpu) =>
    textOf(`/sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_governor`)?.trim(),
  )
  const found = [...new Set(names.filter((name) => name !== undefined))]
  return found.length === 0 ? null : found.join(", ")
}

function turbo(): boolean | null {
  const off = textOf("/sys/devices/system/cpu/intel_pstate/no_turbo")?.trim()
  if (off !== undefined) return off === "0"
  const boost = textOf("/sys/devices/system/cpu/cpufreq/boost")?.trim()
  return boost === undefined ? null : boost === "1"
}

function virtual(): boolean | null {
  const flags = /^flags\s*:(.*)$/m.exec(textOf("/proc/cpuinfo") ?? "")?.[1]
  return flags === undefined ? null : / hypervisor( |$)/.test(flags)
}

/** Ticks of all CPUs together since the machine began: proc_stat(5). */
export interface MachineTicks {
  readonly total: number
  readonly idle: number
  readonly steal: number
}

/** undefined: no /proc. */
export function machineTicks(text: string | undefined = textOf("/proc/stat")): MachineTicks | undefined {
  const fields = /^cpu +(.*)$/m
    .exec(text ?? "")?.[1]
    ?.split(" ")
    .map(Number)
  if (fields === undefined || fields.length < 8) return undefined
  // user nice system idle iowait irq softirq steal; what follows is in user and nice already.
  const [, , , idle = 0, iowait = 0, , , steal = 0] = fields
  return { total: fields.slice(0, 8).reduce((sum, ticks) => sum + ticks, 0), idle: idle + iowait, steal }
}

/** Shares between two readings, 0 to 1. */
export function machineLoad(
  before: MachineTicks | undefined,
  after: MachineTicks | undefined,
): { readonly busy: number; readonly steal: number } | null {
  if (before === undefined || after === undefined || after.total <= before.total) return null
  const total = after.total - before.total
  const share = (name: "idle" | "steal") => Math.max(0, after[name] - before[name]) / total
  return { busy: Math.max(0, 1 - share("idle")), steal: share("steal") }
}
