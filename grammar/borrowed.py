"""Words of other frameworks and papers, and what they are called in the language."""

from collections.abc import Iterable, Mapping

from renaissance.grammar.names import plainly

KEYS: Mapping[str, str] = {
    "lr": "learning_rate base_lr init_lr max_lr peak_lr learningrate eta step_size",
    "weight_decay": "wd l2 decay l2_penalty",
    "eps": "adam_epsilon epsilon adam_eps",
    "warmup": "warmup_steps warmup_ratio num_warmup_steps warmup_epochs warmup_proportion "
    "warmup_fraction",
    "end_lr": "min_lr final_lr eta_min lr_end min_learning_rate",
    "batch": "batch_size train_batch_size global_batch_size batch_size_train total_batch_size bs",
    "steps": "max_steps num_steps total_steps max_iters num_iterations iterations iters "
    "max_updates train_steps num_training_steps training_steps max_step",
    "epochs": "num_epochs num_train_epochs max_epochs n_epochs nb_epochs train_epochs "
    "max_epoch total_epochs",
    "clip": "max_grad_norm grad_clip gradient_clip_val clip_grad clip_norm max_norm "
    "clip_grad_norm gradient_clipping clip_gradients grad_norm_clip",
    "average": "ema ema_decay use_ema model_ema",
    "seed": "random_seed rng_seed manual_seed random_state",
    "validate_every": "eval_steps val_check_interval eval_every evaluation_interval "
    "valid_steps eval_freq",
    "rank": "r lora_r lora_rank",
    "alpha": "lora_alpha",
    "regions": "num_boxes max_boxes num_regions max_regions n_boxes max_detections",
    "channels": "feature_dim feat_dim features visual_dim feature_size",
    "answers": "num_classes num_answers num_labels n_answers ans2label",
    "classes": "num_classes num_labels n_classes labels id2label",
    "caption": "text_column caption_column txt text_key",
    "train": "train_file train_table train_csv train_data",
    "test": "test_file test_table test_csv",
    "validation": "val valid val_split validation_split eval_split dev val_file",
    "checkpoint_every": "save_steps save_every checkpoint_interval save_strategy save_freq "
    "save_interval",
    "keep": "save_total_limit keep_last save_top_k max_checkpoints",
    "workers": "num_workers dataloader_num_workers n_workers num_data_workers",
    "select": "metric_for_best_model monitor early_stop_metric best_metric",
    "layers": "num_layers num_hidden_layers n_layers n_layer depth depths num_blocks "
    "nlayers encoder_layers num_layer",
    "width": "hidden_size hidden_dim embed_dim d_model n_embd dim embedding_dim hidden "
    "model_dim encoder_width embed_size channels",
    "heads": "num_heads num_attention_heads n_head n_heads nhead attention_heads nheads",
    "dropout": "dropout_rate drop_rate hidden_dropout_prob attention_probs_dropout_prob drop "
    "dropout_prob dropout_p attn_dropout p_dropout",
    "activation": "hidden_act act_layer act_fn activation_function",
    "max_tokens": "max_length max_seq_length max_len max_position_embeddings seq_len "
    "sequence_length max_seq_len max_text_len context_length max_words block_size n_positions",
    "vocabulary": "vocab_size vocab n_vocab",
    "image_size": "img_size resolution input_size image_res image_resolution crop_size "
    "input_resolution size",
    "patch": "patch_size",
    "pool": "pooling pooling_type global_pool pool_type pooling_mode classifier",
    "weights": "checkpoint ckpt pretrained init_from resume_from_checkpoint ckpt_path "
    "load_checkpoint load_weights init_checkpoint pretrained_weights load_from pretrained_path",
    "probability": "mlm_probability mask_prob mask_ratio masking_prob mask_probability "
    "masking_ratio mlm_prob prob",
    "whole_word": "whole_word_masking wwm whole_word_mask",
    "negatives": "num_negatives n_negatives negative_samples hard_negatives negative_ratio",
    "hard": "hard_negative hard_negatives hard_negative_mining use_hard_negatives",
    "temperature": "temp tau logit_scale init_temperature",
    "momentum": "m moco_m momentum_coefficient momentum_encoder",
    "queue": "queue_size queue_length queue_len memory_bank bank_size",
    "soft_targets": "alpha distill soft_labels distillation momentum_distillation",
    "table": "csv file annotations annotation train_file csv_path annotation_file ann_file "
    "data_file data_files path json jsonl tsv annotations_file ann_root",
    "root": "data_dir data_root data_path image_root image_dir images_dir image_folder "
    "img_dir dataset_path vis_root images storage data_folder path",
    "text": "caption caption_column text_column question question_column",
    "image": "image_column image_path img image_path_column",
    "answer": "label label_column answer_column target target_column",
    "split": "subset fold partition",
    "write": "output_file out output predictions output_path save_to result_file",
    "data": "dataset datasets train_data train_dataset data_source train_datasets",
    "format": "type loader reader dataset_type name",
    "of": "jobs base run",
    "baseline": "reference control compare_to",
    "budget": "compute max_budget",
    "report": "metrics metric scores",
}
"""Keys and statements of ours, and what others call them."""

OTHER_VALUES: Mapping[str, str] = {
    "precision = fp16": "fp16 half use_fp16 fp16_training",
    "precision = bf16": "bf16 amp use_amp mixed_precision dtype torch_dtype autocast",
    "batch = …": "per_device_train_batch_size per_gpu_train_batch_size batch_size_per_gpu "
    "batch_size_per_device local_batch_size",
    "micro_batch = …": "gradient_accumulation_steps accumulate_grad_batches grad_accum_steps "
    "accumulation_steps accum_iter update_freq gradient_accumulation grad_accum",
    "recompute = layers": "gradient_checkpointing activation_checkpointing use_checkpoint "
    "grad_ckpt grad_checkpointing checkpoint_activations",
    "compile = layers": "torch_compile compile_model",
    "shard = full": "fsdp zero zero_stage deepspeed",
    "betas = [0.9, 0.999]": "adam_beta1 adam_beta2 beta1 beta2",
    "mlp_ratio = 4": "intermediate_size mlp_dim ffn_dim dim_feedforward feedforward_dim ff_dim "
    "d_ff ffn_size mlp_hidden_dim",
    "seeds = [0, 1, 2]": "num_seeds n_seeds repeats n_repeats num_repeats repetitions replicates "
    "trials n_trials",
    "validate_every = 500": "evaluation_strategy eval_strategy check_val_every_n_epoch",
}
"""What is written where others have a key with another kind of value."""

OF_VALUES: Mapping[str, str] = {
    "batch = …": "it is that of all processes together",
    "micro_batch = …": "the batch divided by that number",
}
"""What is to be said of a value that has to be computed from that of others."""

NOT_SAID: Mapping[str, str] = {
    "`renaissance train -o DIR` says where a run lies": "output_dir out_dir save_dir run_dir "
    "log_dir logging_dir default_root_dir work_dir exp_dir",
    "progress is written by itself: `log.jsonl`, `tensorboard/`, `report.html`": "logging_steps "
    "log_every log_freq report_to log_interval wandb tensorboard logger disable_tqdm",
    "there is none: the best checkpoint on `validation` counts": "early_stopping_patience "
    "early_stopping patience early_stop load_best_model_at_end",
    "`renaissance train --device DEVICE` chooses it": "device devices cuda use_cuda no_cuda "
    "accelerator gpu gpus num_gpus n_gpu local_rank strategy",
    "a run that was stopped goes on by itself; `--fresh` starts anew": "resume "
    "overwrite_output_dir resume_training auto_resume",
    "tokens come from the text backbone": "tokenizer_name tokenizer_path tokenizer_type",
    "data are always shuffled": "shuffle shuffle_data shuffle_train train_shuffle",
    "there is no smoothing of labels": "label_smoothing label_smoothing_factor smoothing",
    "a warm-up rises from 0": "warmup_lr warmup_init_lr warmup_start_lr warmup_factor",
    "`evaluate` has a `batch` of its own, which changes no number": "batch_size_eval "
    "eval_batch_size per_device_eval_batch_size val_batch_size batch_size_val test_batch_size "
    "batch_size_test",
    "`adapt` names the parts that get adapters: `adapt text.attention { … }`": "target_modules "
    "lora_target_modules modules_to_save",
    "the task says which answers there are": "num_labels num_classes n_classes",
}
"""Keys of others that need no key here, by what is to be said of them."""

WORDS: Mapping[str, str] = {
    "mean": "avg average gap mean_pool mean_pooling",
    "cls": "cls_token cls_pooling token",
    "fp16": "float16 half 16-mixed 16 fp16-mixed",
    "bf16": "bfloat16 bf16-mixed",
    "fp32": "float32 float 32 full",
}
"""Words for values, and what others call them; kinds say it themselves."""

_IN_A_MODEL: Mapping[str, str] = {
    "freeze vision": "freeze_backbone freeze_vit freeze_vision freeze_encoder frozen "
    "freeze_layers requires_grad trainable freeze_vision_model freeze_image_encoder "
    "freeze_visual freeze_vision_tower",
    "freeze text": "freeze_text freeze_text_encoder freeze_bert freeze_language_model",
    "freeze embeddings": "freeze_embeddings freeze_embed",
    "adapt text, vision { rank = 8 }": "lora peft lora_config adapter adapters lora_r lora_rank "
    "use_lora lora_alpha lora_target_modules",
}
"""Statements of a model where others have a key."""

_IN_A_JOB: Mapping[str, str] = {
    "objective": "loss losses objectives criterion loss_fn",
    "optimizer": "optim opt optimiser",
    "schedule": "lr_scheduler_type lr_scheduler scheduler lr_schedule lr_sched sched",
    "scale_lr": "lr_mult lr_multiplier lr_scale param_groups paramwise_cfg",
    "decay_lr": "layer_decay llrd layerwise_lr_decay layer_lr_decay lr_layer_decay",
}
"""Blocks of a job where others have a key."""

STATEMENTS: Mapping[str, str] = {
    "backbone": "encoder tower text_encoder vision_encoder image_encoder visual_encoder",
    "embed": "embedding embeddings embedder tokenizer",
    "fusion": "fuse fuser cross_encoder multimodal_encoder",
    "data": "dataset datasets datamodule dataloader",
    "pretrain": "train training trainer pretraining",
    "finetune": "finetuning tune downstream",
    "evaluate": "eval test evaluation validate",
    "objective": "loss criterion",
    "optimizer": "optim opt",
    "schedule": "lr_scheduler sched",
    "augment": "transform transforms augmentation",
    "study": "sweep grid experiment ablation multirun",
    "factor": "axis param parameter variable sweep_over vary",
    "freeze": "frozen fix lock",
    "adapt": "lora adapter peft",
    "import": "include require use",
    "let": "def var const set val define",
    "scale_lr": "lr_mult lr_scale",
    "decay_lr": "layer_decay llrd",
    "model": "architecture network",
}
"""Words that statements of ours start with, and what others call them."""


def ours(name: str) -> tuple[str, ...]:
    """Return the keys that a name of others stands for, most likely first; none of unknown ones.

    `learningRate` and `learning-rate` are `learning_rate` here.
    """
    return _found(name, KEYS)


def with_other_value(name: str) -> tuple[str, ...]:
    """Return what is written where others have a key whose values are of another kind."""
    return _found(name, OTHER_VALUES)


def not_said(name: str) -> str | None:
    """Return what is to be said of a key of others that needs no key here."""
    return next(iter(_found(name, NOT_SAID)), None)


def word_among(word: str, known: Iterable[str]) -> str | None:
    """Return which of some words is meant where others say this one."""
    there = set(known)
    return next((meant for meant in _found(word, WORDS) if meant in there), None)


def statement_of_a_model(name: str) -> str | None:
    """Return the statement of a model that does what others have a key for."""
    return next(iter(_found(name, _IN_A_MODEL)), None)


def block_of_a_job(name: str) -> str | None:
    """Return the word of the block of a job that others have a key for."""
    return next(iter(_found(name, _IN_A_JOB)), None)


def statement(word: str) -> str | None:
    """Return the word that a statement starts with where others say this one."""
    return next(iter(_found(word, STATEMENTS)), None)


def _found(name: str, table: Mapping[str, str]) -> tuple[str, ...]:
    plain = plainly(name)
    return tuple(meant for meant, words in table.items() if plain in map(plainly, words.split()))
