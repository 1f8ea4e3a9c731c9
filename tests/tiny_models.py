"""Models of the true layouts, two layers deep and 32 wide, with weights from a seed: what a hub holds, in a second."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import pytest

from core.model_fetch import FetchOptions, fetch_model
from core.model_source import LocalSource

needs_models = pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is None,
    reason='sentence-transformers is not installed: pip install -e ".[models]"',
)
CHARS = ("公租房金标准养犬登记费老板跑路不给钱用人单位拖欠劳动报酬的了在电梯加装补助每台万元"
         "为这个句子生成表示以用于检索相关文章：。，？0123456789")
SIZES: dict[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "initializer_range": 0.3,      # the usual 0.02 makes all texts alike at this width
}


def make_bert(folder: Path) -> Path:
    """As bge-small-zh-v1.5: BERT over characters, the first token's vector, normalised."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(7)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(CHARS)]
    bare = folder.parent / f"{folder.name}-bare"
    BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=128, **SIZES)).save_pretrained(bare)
    tokenizer = BertTokenizerFast(vocab={word: place for place, word in enumerate(words)}, model_max_length=128)
    tokenizer.save_pretrained(bare)
    transformer = Transformer(str(bare))
    modules = [transformer, Pooling(32, pooling_mode="cls"), Normalize()]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder))
    return folder


def make_m3(folder: Path) -> Path:
    """As bge-m3 on its hub: XLM-RoBERTa over a Unigram vocabulary, all weights as pickle."""
    import torch
    from transformers import XLMRobertaModel

    torch.manual_seed(8)
    settings = _xlm_roberta(folder)
    model = XLMRobertaModel(settings)
    model.config.architectures = ["XLMRobertaModel"]
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    for name, width in (("colbert", 32), ("sparse", 1)):
        torch.save(torch.nn.Linear(32, width).state_dict(), folder / f"{name}_linear.pt")
    return folder


def make_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """As bge-reranker-v2-m3: XLM-RoBERTa with one score for a pair."""
    import torch
    from transformers import XLMRobertaForSequenceClassification

    torch.manual_seed(9)
    settings = _xlm_roberta(folder)
    settings.num_labels = labels
    XLMRobertaForSequenceClassification(settings).save_pretrained(folder)
    return folder


def make_qwen3(folder: Path) -> Path:
    """As Qwen3 in layout, over bytes instead of words: for a real vLLM, which then has a model to run."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(10)
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: place for place, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=2048, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    fast.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n"
        "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
    )
    fast.save_pretrained(folder)
    end = fast.convert_tokens_to_ids("<|im_end|>")
    settings = Qwen3Config(
        vocab_size=len(letters) + len(special), hidden_size=128, num_hidden_layers=2, intermediate_size=256,
        num_attention_heads=2, num_key_value_heads=1, head_dim=64, max_position_embeddings=4096,
        eos_token_id=end, bos_token_id=None, tie_word_embeddings=False,
    )
    Qwen3ForCausalLM(settings).to(torch.bfloat16).save_pretrained(folder)
    return folder


def stored(carried: Path, name: str, folder: Path) -> Path:
    """``carried`` brought into the models folder as the command line brings it."""
    options = FetchOptions(False, 1, 0, lambda more, total: None)
    repo = {"bge-m3": "BAAI/bge-m3"}.get(name, name)
    return fetch_model(LocalSource(carried, repo), name, folder, options).path


def _xlm_roberta(folder: Path) -> Any:  # noqa: ANN401 (a type of a package that may be missing)
    """Writes the tokenizer, gives the settings of a model with its vocabulary."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast, XLMRobertaConfig

    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(char, -3.0) for char in dict.fromkeys(CHARS)] + [("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    folder.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, model_max_length=128, bos_token="<s>", eos_token="</s>", cls_token="<s>",
            sep_token="</s>", pad_token="<pad>", unk_token="<unk>", mask_token="<mask>",
        ).save_pretrained(folder)
    return XLMRobertaConfig(
        vocab_size=len(pieces), max_position_embeddings=130, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        type_vocab_size=1, **SIZES,
    )
