"""The language of a topic that papers do not use; English topics of all kinds stay English."""

import csv
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.rank.corpora import SHIPPED, load
from digest.rank.topic_language import _listed, foreign_language
from tests.conftest import CORPUS

# Words that the lists do not have are told by py3langid.
FOREIGN = """
de: maschinelles Lernen; große Sprachmodelle; Robotik; Quantencomputer; neuronale Netze; zeitreihenanalyse
de: künstliche Intelligenz in der Medizin; Erkennung von Objekten in Videos; medizinische Bildanalyse
fr: apprentissage profond; apprentissage par renforcement; vision par ordinateur; graphes de connaissances
fr: intelligence artificielle; réseaux de neurones; génération d'images; éthique de l'ia
es: aprendizaje automático; modelos de lenguaje; redes neuronales; detección de anomalías; ciberseguridad
it: apprendimento automatico; reti neurali; elaborazione del linguaggio naturale; analisi del sentimento
pt: aprendizado de máquina; redes neurais; geração de imagens; detecção de anomalias; carros autônomos
nl: machinaal leren; neurale netwerken; kunstmatige intelligentie; tijdreeksen
sv: maskininlärning; språkmodeller; självkörande bilar
pl: uczenie maszynowe; sztuczna inteligencja; wykrywanie anomalii
tr: makine öğrenmesi; yapay zeka; duygu analizi; otonom sürüş
zh: 机器学习; 大型语言模型; 量子计算
ja: 大規模言語モデル; ロボット; ニューラルネットワーク
ko: 기계 학습; 로봇
ru: машинное обучение; языковые модели
ar: تعلم الآلة
he: למידת מכונה
hi: मशीन लर्निंग
th: การเรียนรู้ของเครื่อง
el: μηχανική μάθηση
"""
CASES = [
    (topic.strip(), code.strip())
    for line in FOREIGN.strip().splitlines()
    for code, _, topics in [line.partition(":")]
    for topic in topics.split(";")
]
ENGLISH = """
large language models; diffusion models; agents; robots; RLHF; GNN; 3DGS; JEPA; MCP; xLSTM; C++; SAM2
vibe coding; Gaussian splatting; neuroevolution; GraphRAG; Qwen2.5-VL; DeepSeek-R1; FLUX.1 Kontext; LLaVA-NeXT
Schrödinger bridges; Kullback-Leibler; Calabi-Yau manifolds; Lipschitz continuity; Zernike polynomials; Wasserstein
Poincaré embeddings; Bézier curves; Gröbner bases; Erdős–Rényi graphs; Łojasiewicz inequality; Bjøntegaard delta
Hölder continuity; Itô calculus; Čech complexes; Müller glia; Alzheimer; naïve Bayes; résumé parsing
α-divergence; β-VAE; λ-calculus; π0; Σ-protocols
perovskite solar cells; stellarator optimization; metagenomics; pharmacovigilance; glioblastoma segmentation
zymurgy; karaoke; manga translation; tsunami forecasting; kindergarten education; haute couture; bokeh rendering
MIT licence; DES cryptanalysis; DoS attack mitigation; LOS estimation; die casting; fin tech; pour points
Jürgen Schmidhuber; Yann LeCun; Aaron Defazio; Amélie Héliou; Kaiming He; Alejandro Benito-Santos
diffusion 扩散模型; transformer für vision; apple pie; medieval history; soil ecology; perioperative nursing
"""
KEPT_ENGLISH = [topic.strip() for line in ENGLISH.strip().splitlines() for topic in line.split(";")]


@pytest.fixture(scope="module")
def corpus():
    return load(SHIPPED)


@pytest.mark.parametrize(("topic", "code"), CASES)
def test_a_language_that_papers_do_not_use_is_told(corpus, topic, code):
    assert foreign_language(topic, corpus) == code


@pytest.mark.parametrize("topic", KEPT_ENGLISH)
def test_english_stays_english_with_names_abbreviations_and_rare_words(corpus, topic):
    assert foreign_language(topic, corpus) == ""


def test_a_language_that_papers_use_is_none_to_tell(corpus):
    class German:
        def papers_with(self, stem):
            return 3

    assert foreign_language("maschinelles Lernen", German()) == ""
    assert foreign_language("машинное обучение", German()) == ""


@given(st.text(max_size=60))
def test_any_text_has_a_language_or_none(text):
    assert foreign_language(text, load(SHIPPED)) in {"", *_listed()} | set(
        "zh ja ko ru ar he hi bn ta te th el ka hy".split()
    )


def test_no_listed_word_stands_in_two_languages_or_in_papers(corpus):
    for one, other in combinations(_listed().values(), 2):
        assert not one & other
    for words in _listed().values():
        common = {word for word in words if corpus.papers_with(word) > 3}
        assert not common


@pytest.mark.long
def test_hardly_any_english_topic_of_any_field_is_taken_for_another_language(corpus):
    file = CORPUS / "topics.csv"
    if not file.is_file():
        pytest.skip(f"no corpus at {CORPUS} (set PAPER_DIGEST_CORPUS)")
    topics = {row[-1] for row in csv.reader(file.read_text(encoding="utf-8").splitlines())}
    wrong = {topic for topic in topics if foreign_language(topic, corpus)}
    assert len(topics) > 3000
    assert len(wrong) <= 3, wrong
