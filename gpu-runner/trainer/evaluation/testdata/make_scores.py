"""Makes scores.json: BLEU and chrF++ of some corpora, by sacrebleu.

    pip install sacrebleu && python make_scores.py
"""
import json
import pathlib

import sacrebleu

PAIRS = [
    ("Ouvrez le fichier, puis cliquez sur « OK ».", "Ouvrez le fichier puis cliquez sur OK."),
    ("La fonction renvoie 3,5 % des cellules.", "La fonction renvoie 3,5 % de toutes les cellules."),
    ("Sélectionnez l'onglet Données - Trier.", "Choisissez l'onglet Données - Trier."),
    ("Il y a 1.000,50 lignes (environ)", "Il y a environ 1 000,50 lignes."),
    ("a-b c_d e/f &amp; &quot;g&quot; 5-6", "a-b c_d e/f & \"g\" 5-7"),
    ("Emoji 😀 et 漢字, rien d'autre", "Emoji 😀 et 漢字 : rien d'autre !"),
    ("(hi) [x] {y} ~z `w` <tag>", "(hi) [x] {y} ~z `w` </tag>"),
    ("le le le le", "le chat est sur le tapis"),
    ("", "Rien."),
    ("Bien", "Bien"),
    ("un\u00a0deux\u202ftrois", "un deux trois"),
]
CORPORA = {
    "all": PAIRS,
    "same": [(r, r) for _, r in PAIRS],
    "short": [("oui", "non"), ("le chat", "le chat noir dort")],
    "unlike": [("abc def", "xyz uvw"), ("gh", "ij")],
    "single": [PAIRS[1]],
    "longer": [("un chat noir et un chat blanc et un chien", "un chat noir et un chien")],
    "empty": [("", "un chat")],
}
scores = []
for name, pairs in CORPORA.items():
    hypotheses, references = [list(side) for side in zip(*pairs)]
    scores.append({
        "name": name, "hypotheses": hypotheses, "references": references,
        "bleu": sacrebleu.corpus_bleu(hypotheses, [references]).score,
        "chrf": sacrebleu.corpus_chrf(hypotheses, [references], word_order=2).score,
    })
target = pathlib.Path(__file__).with_name("scores.json")
target.write_text(json.dumps({"sacrebleu": sacrebleu.__version__, "corpora": scores}, ensure_ascii=False, indent=1) + "\n")
