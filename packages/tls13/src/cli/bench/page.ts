import type { Report } from "../../measure/report.ts"
export function pageOf(report: Report): string {
  return report.command
}
