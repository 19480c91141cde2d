/** The engine without the page, as the text of a module that Node can import. */
export function bundleEngine(): Promise<string>
/** Writes the whole page to `to` (default: dist/), which is emptied first. */
export function bundlePage(to?: string): Promise<void>
export const pageFolder: string
