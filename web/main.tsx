import { render } from 'preact'
import './style/tokens.css'
import './style/base.css'
import './style/frame.css'
import './style/chat.css'
import './style/answer.css'
import './style/conversation.css'
import { loadRenderer } from './markdown/lazy.ts'
import { sharedToken } from './state/address.ts'
import { createPage } from './state/page.ts'
import { App } from './view/App.tsx'
import { lazily } from './view/lazily.tsx'

const SharedPage = lazily(() => import('./view/SharedPage.tsx').then((part) => part.SharedPage))

const root = document.getElementById('app')
if (!root) throw new TypeError('the document has no place for the page')
const token = sharedToken(window.location.pathname)
if (token === null) {
  const page = createPage(window)
  void page.server.start()
  render(<App page={page} />, root)
} else {
  // A reader of somebody's conversation is nobody here: the page does not sign itself in.
  render(<SharedPage token={token} />, root)
}
void loadRenderer()
