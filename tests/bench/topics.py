"""Topics to rank recorded papers for, and which keywords of a paper say that it is relevant."""

# What a keyword of a relevant paper matches, the topic as typed, and the same wish in other words.
TOPICS = [
    ("sparse autoencoder", "sparse autoencoders", "human-readable features inside activations"),
    (r"chain.of.thought|\bcot\b", "chain of thought", "writing out steps before answering"),
    (r"kv.?cach|key-value cach", "KV cache", "saving memory for stored attention states"),
    (r"parameter-efficient|\blora\b", "LoRA", "adapting networks by training few extra weights"),
    ("reward model", "reward models", "learning to score answers the way people would"),
    ("hallucinat", "hallucination", "systems that state false facts with confidence"),
    ("quantiz", "quantization", "running networks with low-bit numbers"),
    (r"video (diffusion|generat)|text-to-video", "video generation", "moving pictures from a text"),
    ("vision.language model|vlm|mllm", "vision-language models", "talking about what images show"),
    ("grpo|group relative|verifiable reward", "GRPO", "reasoning trained on checkable answers"),
    (r"retrieval.augment|\brag\b", "RAG", "answering questions with looked-up documents"),
    ("agent", "agents", "software that finishes tasks on its own with tools"),
    (r"\b3d|gaussian splat|nerf", "3D reconstruction", "scenes in three dimensions from photos"),
    ("speech|audio", "speech", "systems that listen and talk"),
    ("robot|embodied|manipulation", "robot manipulation", "machine arms that pick up objects"),
    (r"mixture.of.expert|\bmoe\b", "mixture of experts", "switching on parts of a network"),
    ("code generation|software engineer|swe-", "code generation", "writing programs automatically"),
    ("safety|jailbreak|harmful", "safety jailbreak", "chatbots that refuse dangerous requests"),
    ("long.context", "long context", "handling very long documents"),
    (r"\bmath", "mathematical reasoning", "solving olympiad problems"),
    ("image edit", "image editing", "changing a photo by saying what to alter"),
    ("test-time (scal|comp)", "test-time scaling", "thinking longer to get better answers"),
    ("distill", "distillation", "teaching a small model from a large one"),
    (r"diffusion transformer|\bdits?\b", "diffusion transformer", "attention-based denoisers"),
    (r"\bgui\b|web agent", "GUI agents", "programs that click through screens for a user"),
    (r"preference optim|\bdpo\b|rlhf", "DPO", "aligning with what people like better of two"),
]
ALIEN = (
    "wine tasting notes;medieval poetry;football transfer news;gardening tips for roses;knitting;"
    "celebrity gossip;tax law in Norway;sourdough bread recipes;used car prices;Roman history;"
    "marine biology of whales;real estate investment;yoga for beginners;bird watching;"
    "horror movie reviews;wedding planning;dog training;stamp collecting;plate tectonics;"
    "organic chemistry synthesis;Renaissance painting;parenting advice;black holes;jazz music"
).split(";")
SENTENCES = [
    "What are the latest advances in {}?",
    "I am interested in anything new on {} and how it works",
]
PAIRS = [  # of concepts: what keywords of a relevant paper match, both, and the topic
    ("hallucinat", r"vision.language|vlm|multimodal", "hallucination in vision-language models"),
    ("agent", "reinforcement", "reinforcement learning for agents"),
    ("reason", r"vision|visual|multimodal|vlm", "multimodal reasoning"),
    ("quantiz", r"language model|llm", "quantization of large language models"),
    (r"\bmath", r"reinforcement|verifiable", "reinforcement learning for mathematical reasoning"),
    ("code|software", "agent", "coding agents"),
    (r"3d|gaussian", r"diffusion|generat", "3D generation"),
    (r"retriev|rag", r"agent|reason", "retrieval augmented reasoning"),
    ("benchmark", "agent", "benchmarks for agents"),
    ("distill", "diffusion", "diffusion distillation"),
    (r"audio|speech", r"language model|llm|multimodal", "speech language models"),
]
BROAD = [
    (r"large language model|\bllms?\b", "large language models"),
    ("reason", "LLM reasoning"),
    ("diffusion", "diffusion models"),
    ("reinforcement", "reinforcement learning"),
    (r"multimodal|mllm|vision.language", "multimodal models"),
    ("agent", "agents"),
    ("video", "video"),
    ("transformer", "transformers"),
]
