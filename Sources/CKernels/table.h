// The table of one instruction set; included by kernels.c after its kernels.

static const ck_kernels K(table) = {
    .level = LEVEL_NAME,
    .product_wins = CK_PRODUCT_WINS,
    .product = K(product),
    .exponential = K(exponential),
    .sum_of_squares = K(sum_of_squares),
    .dot = K(dot),
    .add_scaled = K(add_scaled),
    .rms_norm = K(rms_norm),
    .rms_norm_gradient = K(rms_norm_gradient),
    .layer_norm = K(layer_norm),
    .layer_norm_gradient = K(layer_norm_gradient),
    .rotate = K(rotate),
    .activate = K(activate),
    .activate_gradient = K(activate_gradient),
    .soft_cap = K(soft_cap),
    .soft_cap_gradient = K(soft_cap_gradient),
    .softmax = K(softmax),
    .log_softmax = K(log_softmax),
    .cross_entropy = K(cross_entropy),
    .divergence = K(divergence),
    .attention = K(attention),
    .attention_mix = K(attention_mix),
    .attention_gradient = K(attention_gradient),
    .adamw = K(adamw),
};

