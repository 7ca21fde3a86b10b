import { render } from 'preact'
import './style/tokens.css'
import './style/base.css'
import './style/frame.css'
import './style/chat.css'
import './style/answer.css'
import { loadRenderer } from './markdown/lazy.ts'
import { createPage } from './state/page.ts'
import { App } from './view/App.tsx'

const page = createPage(window)
void page.server.start()
const root = document.getElementById('app')
if (!root) throw new TypeError('the document has no place for the page')
render(<App page={page} />, root)
void loadRenderer()
