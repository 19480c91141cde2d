/** For text and for attributes in double quotes. */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")
}

/** A table whose cells are HTML. */
export function htmlTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  kind: string = "figures",
): string {
  const cells = (tag: "th" | "td", row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? `<th scope="row">${cell}</th>` : `<${tag}>${cell}</${tag}>`)).join("")
  const top =
    head.length === 0 ? "" : `<thead><tr>${head.map((cell) => `<th scope="col">${cell}</th>`).join("")}</tr></thead>`
  return `<div class="scroll"><table class="${kind}">${top}<tbody>${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("")}</tbody></table></div>`
}
