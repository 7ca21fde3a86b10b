/** All that turns an answer into HTML, as one part of the page that is loaded after the rest. */
export { BlockCache } from './blocks.ts'
export { sanitise } from './sanitise.ts'
