/** The engine without the page, as the text of a module that Node can import. */
export function bundleEngine(): Promise<string>
